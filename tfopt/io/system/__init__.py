"""The machine: files and versions.

| file | question it answers |
|---|---|
| `files` | how are files written durably and hashed? |
| `environment` | which packages, processor and threads are there? |
| `compatibility` | what in an environment cannot work, and how is it repaired? |
"""
