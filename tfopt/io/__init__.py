"""Files and the system: everything that reads or writes outside of the process, except models and data.

| room | what it reads and writes |
|---|---|
| `system` | atomic writes, hashes, installed versions, memory |
| `recipes` | YAML with positions, `extends`, relative paths, sources |
| `store` | the artifacts of stages by key, locks, a shared store at a URL |
| `runs` | folders of runs and sweeps, journals, reports, garbage collection |
"""
