"""The keys of a recipe, one block per subject; each key is declared here once, stages inherit it.

| file | question it answers |
|---|---|
| `data`, `features`, `text/` | which examples, from which source? |
| `training/` | which optimizer, loss and metrics, in which precision, on which devices? |
| `ramps` | how does a number change during a stage? |
| `schedules/` | how does the sparsity change during a stage? |
| `pruning`, `allocation`, `rewind` | what is pruned, how is the sparsity distributed, where do weights go back to? |
| `clustering` | how many distinct values may the weights of a layer have? |
| `quantization` | what is simulated in 8 bits, and which layers may compute in float? |
| `quantization_modes`, `files/` | what does each TFLite mode mean, and which keys does a file have? |
| `distillation` | which teacher, which losses? |
| `ensembling` | how are models joined or averaged? |
| `model_source` | which external models does a stage need? |
| `layer_rules` | which layers does a rule match? |
| `budgets` | which limits must the files meet? |
| `sweep` | which axes and seeds does a sweep have? |
| `traits` | what can a model be, by the stages it went through? |
"""
