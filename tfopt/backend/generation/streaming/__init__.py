"""Streams: a recurrent model that reads a few frames at a time, state in and state out.

| file | question it answers |
|---|---|
| `prepare` | can a model read a stream, and in which signatures? |
| `signatures` | their SavedModel |
| `prove` | does the stream give what the whole sequence gives? Runs in a child process |
| `export` | how does a model become files with records? |
"""
