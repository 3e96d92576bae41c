"""Where examples are during a run: in memory, on disk, or decoded each time.

| file | question it answers |
|---|---|
| `kept` | How do the splits of a source come to where they stay? |
| `choice` | Memory, disk or none, and why? |
| `keeping` | How are the examples of a source read once, checked, and put there? |
| `bad_examples` | Which examples cannot be read, and what becomes of them? |
| `spool` | Where do the examples of a stream go that may not fit into memory? |
"""
