"""What a `.tflite` file costs on this machine: latency, cold start, memory, and the time of each operator.

| file | question it answers |
|---|---|
| `measure` | what do several files cost with several kernels and numbers of threads, measured against each other? |
| `operator_times` | how long does each operator of a file take? |
"""
