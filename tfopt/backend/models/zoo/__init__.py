"""Models by name: one file each; the file name is the name in a recipe, `build` its arguments.

| file | question it answers |
|---|---|
| `mlp` | Dense layers, for tables and anything flattened |
| `small_cnn`, `mnist_cnn` | Convolutions, for small images |
| `autoencoder`, `ds_cnn`, `mobilenet_v1_025`, `resnet8` | The four models of MLPerf Tiny |
| `gpt` | A decoder that generates text |
| `_transformer` | What do the Transformers share? |
| `_parts` | Which inputs, blocks and last layers do they share? |
"""
