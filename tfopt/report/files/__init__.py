"""Model files and names, as text for the terminal.

| file | question it answers |
|---|---|
| `text` | what do `tfopt inspect`, `tfopt bench` and `tfopt ls` show? |
"""
