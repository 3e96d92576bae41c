"""Pruning criteria: one file per criterion, named in a recipe by its file name (`prune: {criterion: magnitude}`).

| file | question it answers | ranks |
|---|---|---|
| `magnitude` | which weights have the smallest absolute values? | weights, units |
| `l1` | the same, under the name that the literature on filters uses | weights, units |
| `l2` | which weights or units have the smallest squares? | weights, units |
| `geometric_median` | which units are most like the others of their group? | units |
| `batch_norm_scale` | which units does batch normalization scale down? | units |
| `taylor` | by how much would the loss change to first order? | weights, units |
| `fisher` | by how much to second order, with the Fisher information as Hessian? | weights, units |
| `movement` | which weights move towards zero in training? | weights, units |
| `zero_activations` | which units are zero for most examples? (APoZ) | units |
| `mean_activation` | which units have the smallest activations? | units |
| `random` | the baseline: any | weights, units |

The prune stage ranks single weights, the shrink stage units (channels, heads). A new criterion is one file here with
one subclass of `tfopt.backend.pruning.criterion.Criterion` (or of those in `gradient_criterion`, which accumulate
gradients), or the entry point `tfopt.criteria` of a package.
`tfopt.testing.criteria.CriterionContract` checks it; `tfopt ls criteria` lists it.
"""
