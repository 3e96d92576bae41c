"""Where files will run, as plain data: what each target chooses, refuses and has.

| file | question it answers |
|---|---|
| `table` | which targets can a recipe name, and what do they choose and refuse? |
| `tflite_micro` | does TFLite Micro have this operator? |
| `edge_tpu` | does the Edge TPU Compiler map this operator, and under which condition? |
| `gpu_delegate` | does LiteRT's GPU delegate take this operator? |
| `core_ml` | does LiteRT's Core ML delegate take this operator? |
"""
