"""One file per kind of layer: where its units are, and its configuration without some of them.

| file | question it answers |
|---|---|
| `rule` | What does a rule consist of? |
| `table` | Which rule does a layer have? |
| `kernels` | Convolutions, dense layers |
| `elementwise` | Activations, sums, products |
| `shapes` | Pooling, padding, reshaping, joining |
| `normalization` | Normalization over examples, channels, groups |
| `attention` | Attention, embeddings |
| `recurrent` | LSTM, GRU, SimpleRNN |
| `contraction` | `EinsumDense`, products of tensors |
| `wrappers` | `TimeDistributed`, `Bidirectional` |
| `operators` | TensorFlow operators |
| `operator_arguments` | Which sizes among their arguments change? |
| `own_layers` | Layers of tfopt |
| `keras3` | Layers and operations of Keras 3 that tf_keras does not have |
"""
