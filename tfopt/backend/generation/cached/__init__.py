"""Parts of layers that mix positions, each with the call that does it with a state.

| file | question it answers |
|---|---|
| `attention` | how does attention use cached keys and values? |
| `own_cache` | how does attention that has a cache of its own (KerasHub's decoders) use that? |
| `recurrent` | how does a recurrent layer, or a causal convolution, take its state and return it? |
| `pooling` | how does pooling over positions go on? |
| `positions` | how does a layer learn which positions it computes? |
"""
