"""`.tflite` files for microcontrollers: run in TFLite Micro itself, and written as C arrays. Nothing here imports
TensorFlow.

| file | question it answers |
|---|---|
| `interpreter` | does a file run in TFLite Micro, in how small an arena, and with which outputs? |
| `c_array` | how does firmware get the file? |
"""
