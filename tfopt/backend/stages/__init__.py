"""Stages: one file for each technique, which carries out the stage of the same name in `tfopt/stages`.

| file | what it does |
|---|---|
| `fit` | train, also with a teacher; the base of all stages with an optimizer |
| `prune` | make weights zero under a schedule |
| `cluster` | let weights share values |
| `qat` | train while weights and activations are rounded |
| `average` | average the weights of models or epochs |
| `ensemble` | join models into one |
"""
