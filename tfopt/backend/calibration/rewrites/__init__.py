"""Weights that are rewritten before a conversion: the float model computes the same, its integer file less error.

| file | question it answers |
|---|---|
| `chains` | what is a chain: which weights are divided, which kernels multiplied, channel by channel? |
| `equalization` | between which convolution and dense layers can channels be scaled? |
| `smoothing` | which kernels read a LayerNormalization alone? |
| `channel_ranges` | how large does each channel become, over the calibration examples? |
| `weight_changes` | which values do the weights get, and for how long? |
"""
