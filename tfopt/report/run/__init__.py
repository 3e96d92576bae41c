"""One run as tables, sentences, curves and a page.

| file | question it answers |
|---|---|
| `rows` | which values are in the tables of files, stages, layers, budgets? |
| `outputs` | what is each of several outputs worth in each file? |
| `agreement` | is `agreement` a share of equal predictions, or a difference? |
| `sentences` | what does a report say in words? |
| `choice` | which file is the smallest that is good, and which are beaten by a smaller one? |
| `cost` | what do the files cost in memory, and on a phone? |
| `curves` | which points are on the curves of metrics and sparsity? |
| `charts` | how are curves and bars drawn? |
| `shrinking` | what did a shrink stage remove, and how does the narrowed network look? |
| `treemap` | how are bytes by layer drawn as areas? |
| `text` | what does a terminal show of a run? |
| `html` | what is written as `report.html` and `figures/*.svg`? |
"""
