"""Pruning: which weights become zero, how many, and when.

| file | question it answers |
|---|---|
| `plan` | how will each layer be pruned, and why are others left dense? |
| `eligibility` | which layers can be pruned? |
| `criterion`, `criteria/` | which weights are the least important? One file per criterion |
| `gradient_criterion` | how does a criterion accumulate the gradients of each step? |
| `units` | where are the weights of each channel or head? |
| `heads` | where are the heads of an attention layer, and which stay? |
| `blocks` | which layers are a block, and which blocks stay? |
| `pruned_units` | which heads and blocks are zero in the end? |
| `masks` | how are zeros arranged and held? tfmot's wrapper, repaired |
| `below` | which weights of a kernel are below a threshold? |
| `schedules` | how sparse is a layer at each step? |
| `allocation` | how is one sparsity divided among layers? |
| `controllers` | which sparsity is decided while training, by a metric or over all layers? |
| `rewinding` | how do weights go back to those of an earlier epoch? |
"""
