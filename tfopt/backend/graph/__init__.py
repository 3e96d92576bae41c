"""The graph of a model: its layers, connections, kernels, and counts over them.

| file | question it answers |
|---|---|
| `layers` | which layers and calls does a model have? The one walker |
| `kernels` | which weights are kernels, and which of them can be pruned or clustered? The one table |
| `channels` | which axes of a kernel are its output channels? |
| `calls` | which layer is called with which shapes? |
| `connections` | which layer feeds which? |
| `outputs` | what are the outputs of a model called, and which layer makes each? |
| `layer_rules` | which layers does a stage skip, by its rules, and why? |
| `macs` | how much does a layer compute? |
| `saved_model_layer` | how does a SavedModel without Keras layers run as a layer? |
| `not_convertible` | which layers can no `.tflite` file contain? |
| `sparsity` | how many weights are zero, over which denominator? |
| `layer_records` | what does a report contain for each layer, and what is the fingerprint of a model? |
| `layer_names` | which Keras layer does a tensor of a `.tflite` file belong to? |
| `serialized_names` | how were classes named in files that an earlier version wrote? |
"""
