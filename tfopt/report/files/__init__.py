"""Model files and names, as text for the terminal.

| file | question it answers |
|---|---|
| `text` | what do `tfopt inspect` and `tfopt ls` show? |
| `claims` | what does `tfopt inspect` show of a bundle? |
| `html` | how is what `tfopt inspect --against` finds a page? |
| `explorer` | what does `tfopt inspect --explorer` say? |
| `bench` | what does `tfopt bench` show of files on this machine? |
| `phone` | what does it show of files on a phone? |
"""
