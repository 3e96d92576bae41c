"""Normalization, and scales and shifts per channel.

| file | what it rewrites |
|---|---|
| `normalization` | LayerNormalization and RMSNormalization, step by step |
| `batch_normalization` | batch normalization alone |
| `batch_normalization_folding` | batch normalization into a kernel |
| `rescaling`, `layer_scale` | a scale and a shift per channel |
"""
