"""`.tflite` files of tests: made by hand, damaged, and read in a second way."""
