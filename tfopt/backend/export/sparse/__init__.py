"""Sparsely encoded `.tflite` files (`sparse: true`), which not every kernel computes right.

| file | question it answers |
|---|---|
| `encoding` | how does the converter encode a weight, given its zeros? |
| `latency` | is a sparse file faster than the same with zeros stored? |
| `preflight` | which layers of a model will be encoded so that a kernel computes them wrongly? |
"""
