"""Training: the loop that every stage with an optimizer runs, and what composes in it.

| file | question it answers |
|---|---|
| `loop` | how is a stage trained from its first step, or its checkpoint, to its last? |
| `hooks` | what can a technique add to training, and when is it called? |
| `composed_step` | how do the loss terms of several hooks become one training step? |
| `steps` | how are many steps run in one call into TensorFlow? |
| `xla` | is the step compiled by XLA, as asked or as measured? |
| `step_errors` | what does a user read when a step fails? |
| `resume/` | what does a killed stage need to resume, how is it stored, and which weights are kept for later stages? |
| `monitor` | has a metric improved? For early stopping and plateaus |
| `precision/` | how does a model compute in 16 bits while it is trained? |
| `accumulation` | how does a step take examples that do not fit into memory at once? |
| `gpus` | which GPUs does TensorFlow train on? |
| `compile`, `learning_rates` | which optimizer, loss, metrics and rates does a recipe mean? |
| `losses/`, `metrics/` | which losses and metrics are there that tf_keras lacks? |
| `own_losses`, `own_code` | how are losses, metrics and callbacks of the user's own called? |
| `measure` | what are loss and metrics of plain predictions, of a model or a file? |
| `evaluate` | how good is a model on a split? |
| `anomalies` | does a model that reproduces its input find anomalies? |
| `weighting` | how much does each label count in the loss, by its class? |
| `batch_norm` | what are the statistics of batch normalization for averaged weights? |
| `wrapping` | how are layers put into wrappers for the time of a stage? |
| `strided_pointwise` | how is a kernel of TensorFlow avoided that corrupts memory? |
| `tensorboard` | where do the logs go? |
"""
