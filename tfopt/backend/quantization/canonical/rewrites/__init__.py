"""Rewrites by layer: one file per layer or group of layers that are rewritten alike, named after what it rewrites.

The order in which they are applied, and the only place that finds them: `tfopt.backend.quantization.canonical.passes`.

| file | what it rewrites |
|---|---|
| `conv1d`, `conv1d_transpose`, `depthwise_conv1d`, `separable_conv1d` | convolutions of sequences, as those of images |
| `sequence_layers` | pooling, padding, cropping and upsampling of sequences, as those of images |
| `dense`, `einsum_dense` | products with a kernel on more than two axes |
| `separable_conv2d`, `dilated_conv2d` | convolutions of images that TFLite does not have as one operator |
| `stay_in_4d` | layers between two that are computed as images |
| `kernel_activation`, `exponentials` | activation functions inside a kernel's layer; ELU and softplus |
| `average`, `binary_merges`, `min_max` | merges |
| `reversible_embedding` | an embedding that is the output layer, too |
| `attention/` | attention of tf_keras, Keras 3 and tfopt |
| `normalization/` | batch, layer and RMS normalization, and scales per channel |
| `recurrent/`, `operators/` | recurrent layers; TensorFlow operators such as `x * 2` |
"""
