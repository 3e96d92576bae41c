"""Data sets by name: one file each; the file name is the name in a recipe, `load` its arguments.

| file | question it answers |
|---|---|
| `digits` | Which data set comes with scikit-learn, without a download? |
| `mnist`, `fashion_mnist`, `cifar10`, `cifar100` | Images: what do `data.args` choose, and which arrays come? |
| `imdb`, `reuters` | Texts as word ids: the same |
| `spoken_digits` | Recordings of a folder of yours: which voices are in which split? |
| `nab` | Time series of a folder of yours, with anomalies to find: which rows are in which split? |
| `_own_folder` | Where is a data set that tfopt does not download? |
| `clinc150`, `tiny_shakespeare` | Texts: which file do they need, and which splits do they have? |
| `_keras_cache` | Where are downloaded files kept, and are they the published ones? |
| `_texts` | How do texts become equally long? |

The arguments of `load` and what they mean are written out in each file, also where several data sets share them: they
are read from there by `tfopt ls`, recipes are checked against them, and a reader needs one file only.

To add one: a file here with `load(...)`, and a contract test (`tfopt.testing`).
"""
