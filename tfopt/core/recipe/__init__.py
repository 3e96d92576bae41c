"""The recipe as a document: read, checked, changed by path, described by a schema, planned.

| file | question it answers |
|---|---|
| `recipe` | what is a recipe, and how does a document become one? |
| `reader` | how are the lists of stages and exports read, and how are stages named? |
| `checks` | which mistakes only show across several keys or stages? |
| `stage_order` | which stage may follow which? |
| `overrides` | what does `--set stages.prune.epochs=3` change? |
| `schema` | what does `tfopt schema` print for editors? |
| `plan` | what does `tfopt plan` return? |
| `catalog` | which stages and exports may a recipe name? |
"""
