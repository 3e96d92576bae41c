"""Folders of runs and sweeps.

| file | question it answers |
|---|---|
| `runs` | where is a run, which one is unfinished, which one is the latest? |
| `reuse` | would a run repeat one that exists? |
| `journal` | what happened in a run (`events.jsonl`)? |
| `read_record` | how are `report.json` and `sweep.json` read back? |
| `sweeps` | where is a sweep, and what is stored of it? |
| `candidates` | which runs does `tfopt compare` compare? |
| `garbage_collection` | which store entries does no kept run need? |
"""
