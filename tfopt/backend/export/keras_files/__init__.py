"""Files of Keras and TensorFlow: written, and read back by plain Keras.

| file | question it answers |
|---|---|
| `keras` | how are `saved_model/` and `model.keras` written and compared with the model? |
| `saved_model` | how is a SavedModel for inference written, and what are its inputs and outputs called? |
| `open_inputs` | which sizes does the data give to axes that a model leaves open? |
| `preprocessing` | how does a SavedModel take raw examples, and does it give what the pipeline gives? |
| `deterministic_saved_model` | why does the same model give the same bytes? |
| `keras_archive` | which bytes does a `.keras` archive hold besides the model? |
| `read_back`, `_read_back_script` | does plain Keras open the file? |
"""
