"""What model files contain, measured from their bytes. No file is run, and no code of a file is loaded.

| file | question it answers |
|---|---|
| `inspect` | what does this file contain, whatever its type? |
| `tflite` | which inputs, outputs, operators and tensors does a `.tflite` file hold, and which of them are float? |
| `layer_names` | which Keras layer does a tensor of a `.tflite` file belong to? |
| `keras` | which weights does a `.keras`, `.h5` or SavedModel hold? |
"""
