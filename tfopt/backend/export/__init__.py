"""Exported files: written, read back, measured, and checked against what the recipe claims.

| file | question it answers |
|---|---|
| `tflite` | how does a model become `.tflite` files with records? |
| `convert` | how is a SavedModel converted, in each TFLite mode? The function to add for a new mode |
| `failing_layer` | which layer makes a conversion fail? |
| `tflite_run` | how does a file run on each kind of kernels, and does it give its model's outputs? |
| `trial` | which operators does a model become? Asked of the converter before training |
| `forms` | which model, with which sizes of its inputs, is a file converted from? |
| `sources` | what do the models return that files are converted from? |
| `integers/` | how is an integer file made right where the converter alone is not? |
| `sparse/` | which sparse encodings do kernels compute right? |
| `detections/` | how is a detector's file made that ends with detections? |
| `keras_files/` | how are `saved_model/` and `model.keras` written, and does plain Keras open them? |
| `preflight` | what is known about `.tflite` files before training? |
| `shrunk_claims` | has the file of a shrunk network smaller tensors, and is it as fast as its budget? |
| `zero_units_claims` | are heads and blocks that a prune stage made zero also zero in the file? |
| `measured` | what is known about a file that was made and run, and how fast is it, compared with the others? |
| `sensitivity` | what does each layer's quantization cost an exported file, and which rules repair it? |
| `remade` | how is one more file of an exported model made, with other keys? |
| `against` | how does any `.tflite` compare with any model? |
| `plain` | how good is an integer file without the stage that simulates integers? |
| `calibration` | which training examples does the converter get? |
| `measures` | which metrics does a file reach, and how far are they below the dense model? |
| `files` | how are files moved into the export folder? |
| `raw_inputs` | what became of raw examples: does the data source say it, or the recipe? |
"""
