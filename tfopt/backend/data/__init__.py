"""The data of a run: read from any source, checked, cut into three splits, served as batches.

| file | question it answers |
|---|---|
| `load` | How does the `data` block of a recipe become three splits, calibration examples and class weights? |
| `sources` | Which arrays does a `source` return: a name, a function, a file, a folder? |
| `tables` | How is a .npz or .csv file read, and how do rows become windows, in the order of time? |
| `images` | How is a folder of images read, how are pixels scaled and images changed at random? |
| `tf_dataset` | How is a `tf.data.Dataset` read? |
| `wav_folder`, `recordings` | Which classes and speakers has a folder of WAV files, and how do they become inputs? |
| `texts`, `text_values` | How do texts become splits of token ids, with a tokenizer of the training split? |
| `token_changes` | How are the tokens of training texts changed at random? |
| `checks` | Which values, labels and shapes would make training fail late, or silently go wrong? |
| `prepared` | What does a source return whose preprocessing must travel with a model? |
| `arrays` | How are examples read that are not in memory? |
| `caching` | Where are examples during a run, and which of them cannot be read? |
| `annotated` | How are images with masks, or with boxes around objects, read? |
| `records` | How are TFRecord shards, Parquet and Arrow files, and folders of Hugging Face read? |
| `per_example` | What is known of each example besides inputs and targets: its weight, what it belongs to? |
| `cut` | How are validation and test set aside, also whole groups such as speakers? |
| `splits` | What is a split, and what are the data of a run? |
| `drawing` | Which examples are drawn or held out, for a seed? |
| `batches` | Which examples does a training step get, in which order? |
| `datasets` | Which data sets come with tfopt? One file each |
| `label_names` | What are the classes called whose labels are numbers? |
| `raw_inputs` | What did a source do to raw examples, such as scaling of pixels? |
| `several_inputs` | How are inputs in order distinguished from a list of examples, and named? |
"""
