"""What the runtimes of small devices can do with the operators of a `.tflite` file, as plain data."""
