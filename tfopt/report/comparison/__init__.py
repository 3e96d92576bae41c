"""Several runs compared: table, sentences, figures, page and CSV.

| file | question it answers |
|---|---|
| `data` | which variants are a family, and what are their curves and layers over all seeds? |
| `sentences` | which variant is best, and which differences are larger than the seeds' noise? |
| `charts` | how is each figure drawn? |
| `fronts` | how is the metric drawn against bytes, operations and time? |
| `text` | what does a terminal show, and what is in the CSV? |
| `html` | what is written as a page and as files of figures? |
"""
