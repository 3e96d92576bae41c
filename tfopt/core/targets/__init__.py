"""Which operators of a `.tflite` file the runtimes of small devices support, as plain data.

| file | question it answers |
|---|---|
| `tflite_micro` | does TFLite Micro have this operator? |
| `edge_tpu` | does the Edge TPU Compiler map this operator, and under which condition? |
"""
