"""Tables: .csv and .npz files, and rows that are series in time.

| file | question it answers |
|---|---|
| `table` | Which cells does a .csv file have, and what is wrong with it? |
| `tabular` | How is a .npz or .csv file read? |
| `series_files`, `series` | How do rows of .csv files become windows, in the order of time? |
"""
