"""Latency of `.tflite` files on an Android phone, by Google's `benchmark_model` over adb. Nothing here imports
TensorFlow; what is kept of a measurement is in `tfopt.core.records.phone`.

| file | question it answers |
|---|---|
| `measure` | what do files take on the CPU, GPU and NPU of a phone? |
| `tool` | can the named `benchmark_model` run on the phone, and with which options? |
| `device` | which phone is meant, and what goes wrong on the way to it? |
| `facts` | which phone is it, and how hot? |
| `output` | what does the printed text of `benchmark_model` say? |
"""
