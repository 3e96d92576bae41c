"""TFLite metadata inside a `.tflite`: what its inputs and outputs mean, and files such as labels.

The format is that of `metadata_schema.fbs` (version 1.5, identifier M001), which Android Studio, the Task Library and
MediaPipe read. `tflite-support`, which wrote it, ended in 2023.

| file | question it answers |
|---|---|
| `tables` | how are tables of a FlatBuffer written without generated code? |
| `content` | what is said about a model, its inputs and its outputs, in the tables of the schema? |
| `attach` | how does it get into a file without a byte of the model being changed? |
"""
