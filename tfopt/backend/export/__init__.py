"""Exported files: written, read back, measured, and checked against what the recipe claims.

| file | question it answers |
|---|---|
| `tflite` | how does a model become `.tflite` files with records? |
| `convert` | how is a SavedModel converted, in each TFLite mode? The function to add for a new mode |
| `failing_layer` | which layer makes a conversion fail? |
| `tflite_run` | how does a file run on each kind of kernels, and does it give its model's outputs? |
| `trial` | which operators does a model become? Asked of the converter before training |
| `float_rules` | which layers does a rule keep in float in an int8 file, and how? |
| `integer_steps` | what is done between calibration and quantization in an int8 conversion? |
| `loops` | how does a recurrent layer that is a loop get into an int8 file, and stay accurate? |
| `lstm_operator` | which scales of TFLite's int8 LSTM operator are wrong, and how are they corrected? |
| `forms` | which model, with which sizes of its inputs, is a file converted from? |
| `preflight` | what is known about `.tflite` files before training? |
| `keras` | how are `saved_model/` and `model.keras` written and compared with the model? |
| `saved_model` | how is a SavedModel for inference written, and what are its inputs and outputs called? |
| `deterministic_saved_model` | why does the same model give the same bytes? |
| `keras_archive` | which bytes does a `.keras` archive hold besides the model? |
| `read_back`, `_read_back_script` | does plain Keras open the file? |
| `agreement` | do two sets of outputs agree? |
| `plain` | how good is an integer file without the stage that simulates integers? |
| `calibration` | which training examples does the converter get? |
| `measures` | which metrics does a file reach, and how far are they below the dense model? |
| `files` | how are files moved into the export folder, and how large are they? |
"""
