"""Clustering: weights of a layer share a few values.

| file | question it answers |
|---|---|
| `plan` | how will the weights of each layer share values, and why are others left alone? |
| `eligibility` | which layers can be clustered? |
| `kernels` | how do weights share values in training? tfmot's wrapper, repaired |
| `zeros` | how do zeros of other layers stay zero? |
"""
