"""Mixed precision: layers that compute in 16 bits while their weights, and all that tfopt does to them, are float32.

| file | question it answers |
|---|---|
| `layers` | which layers compute in 16 bits? |
| `compute` | how do they, for the time of a stage only? |
| `loss_scale` | how do small gradients survive float16? |
| `forecast` | what is said before training? |
| `overflow` | which layer is too large for float16? |
"""
