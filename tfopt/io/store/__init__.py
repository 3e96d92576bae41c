"""The artifact store: one immutable folder per finished stage, found by its key.

| file | question it answers |
|---|---|
| `store` | how is an entry written, found, read and removed? |
| `locks` | how do two processes avoid building the same entry? |
| `remote` | how do machines share a store at a URL? |
| `archive` | how does an entry become one file whose damage is noticed? |
"""
