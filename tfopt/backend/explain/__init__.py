"""Where the accuracy of a file went: per layer, per class, per example.

| file | question it answers |
|---|---|
| `agreement` | do two sets of outputs agree? |
| `predictions` | which predictions differ, by class and example by example? |
| `pictured` | what differs in maps of classes and in detections, as pictures? |
| `examples` | how is an example shown to people? |
| `differences` | how far are values from others: SQNR, cosine, largest error? |
| `layer_errors` | how far is each layer's output in a file from that of the Keras model? |
| `tensor_errors` | how far are the values inside a file from those of another file? |
| `sensitivity` | what does each layer's quantization cost, and what does keeping it in float give back? |
| `layer_groups` | which operators of a file compute which layer? |
| `float_operators` | how does an operator of a quantized file become one in float? |
| `float_weights` | which float values were the weights of a file rounded from? |
| `rewritten_files` | which outputs do rewritten files give? |
| `judge` | what are outputs worth on given examples? |
| `ports` | which array of the data goes into which input of a file made elsewhere? |
| `node_data` | what does Model Explorer show of each operator? |
| `advice` | which layers must stay in float so that a file reaches its target? |
"""
