"""What model files contain, measured from their bytes. No file is run, and no code of a file is loaded.

| file | question it answers |
|---|---|
| `inspect` | what does this file contain, whatever its type? |
| `tflite` | which inputs, outputs, operators and tensors does a `.tflite` file hold, and which of them are float? |
| `tensor_values` | how are the values of a tensor stored, and what do they stand for? |
| `layer_operators` | which operators of a `.tflite` file compute which Keras layer? |
| `keras` | which weights does a `.keras` or `.h5` file hold? |
| `saved_model` | which weights, signatures and operations does a SavedModel hold? |
| `keras_record` | which layers does a file of Keras have, and what do they compute in? |
| `sizes` | how large is a file as it is, with gzip and zstd, and what is the entropy bound of its weights? |
| `layer_sizes` | how many bytes does each layer take? |
| `skeleton` | which inputs and outputs does the model of a Keras file have? |
"""
