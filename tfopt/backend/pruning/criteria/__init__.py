"""Pruning criteria: one file per criterion, named in a recipe by its file name (`prune: {criterion: magnitude}`).

| file | question it answers |
|---|---|
| `magnitude` | which weights have the smallest absolute values? |

A new criterion is one file here with one subclass of `tfopt.backend.pruning.criterion.Criterion`, or the entry point
`tfopt.criteria` of a package. `tfopt.testing.criteria.CriterionContract` checks it; `tfopt ls criteria` lists it.
"""
