"""Model files and names, as text for the terminal.

| file | question it answers |
|---|---|
| `text` | what do `tfopt inspect` and `tfopt ls` show? |
| `claims` | what does `tfopt inspect` show of a bundle? |
| `bench` | what does `tfopt bench` show of files on this machine? |
| `phone` | what does it show of files on a phone? |
"""
