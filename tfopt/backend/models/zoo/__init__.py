"""Models by name: one file each; the file name is the name in a recipe, `build` its arguments.

| file | question it answers |
|---|---|
| `mlp` | Dense layers, for tables and anything flattened |
| `small_cnn`, `mnist_cnn` | Convolutions, for small images |
| `unet` | A class for each pixel of an image |
| `ssd_mobilenet` | Boxes and classes of objects in an image |
| `autoencoder`, `ds_cnn`, `mobilenet_v1_025`, `resnet8` | The four models of MLPerf Tiny |
| `transformer_classifier`, `bert`, `lstm_classifier` | Classifiers of texts |
| `gpt`, `lstm_lm`, `gru_lm` | Language models, which generate text |
| `_transformer`, `_recurrent` | What do the Transformers share, what the recurrent models? |
| `speech_ds_cnn`, `speech_transformer` | Speech commands, on features of the data or on samples |
| `series_autoencoder` | Anomalies in time series |
| `_speech` | Where do features of sound come from, the data or the model? |
| `_parts` | Which inputs, blocks and last layers do they share? |

The arguments of `build` and what they mean are written out in each file, also where several models share them: they are
read from there by `tfopt ls`, recipes are checked against them, and a reader needs one file only.
"""
