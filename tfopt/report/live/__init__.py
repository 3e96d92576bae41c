"""A run or a sweep while it runs, from its events (`tfopt.core.contracts.events`).

| file | question it answers |
|---|---|
| `lines` | which line does a finished stage, file or trial get? |
| `progress` | what runs right now, how far is it, how long does it still take? |
"""
