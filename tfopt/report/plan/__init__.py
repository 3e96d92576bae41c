"""A plan and the state of the environment.

| file | question it answers |
|---|---|
| `text` | what do `tfopt plan` and `tfopt doctor` show? |
| `layers` | which techniques and targets support each layer? |
| `groups` | what can the shrink stage remove? |
| `files` | which operators will the `.tflite` files have? |
| `terminal_plot` | how is a sparsity schedule drawn with characters? |
| `chart` | how are sparsity schedules drawn as SVG? |
"""
