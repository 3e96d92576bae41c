"""`.tflite` files: read as data, run by LiteRT in child processes, timed. Nothing here imports TensorFlow.

| file | question it answers |
|---|---|
| `flatbuffer` | what does a file contain, byte by byte? |
| `interpreter` | how are real numbers put into a file, and read out of it? |
| `quantum` | how far apart are two neighboring values of an output? |
| `predict` | what does a file predict for many examples? |
| `one_scale` | which operators leave the scale of values as it is? |
| `kernel_differences` | at which operators do the kernels of LiteRT give different results? |
| `single_operator` | how is an operator run as a file of its own, on the values it gets in the whole? |
| `benchmark` | how long does one example take? |
| `fresh_start` | how long do loading and the first call take, and how much memory? |
| `arena` | how much memory do the computed tensors share? |
| `child_process` | how does a crash of a converter or interpreter stay a message? |
| `fork_server` | how does a child process start without importing TensorFlow again? |
| `limits` | how much time and memory may a child process take, and what did it do when it ended? |
"""
