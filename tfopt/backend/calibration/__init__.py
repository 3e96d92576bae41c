"""Calibration of `.tflite` files: examples, ranges, and weights that are rewritten for better ranges.

| file | question it answers |
|---|---|
| `selection` | which training examples is a file calibrated with? |
| `own_selection` | what did the user's own function select, and may it be used? |
| `ranges` | which ranges does a calibrated file get, where they are not those of all values? |
| `clipping` | which range follows from the values of a tensor? |
| `histograms` | which values does a tensor have? |
| `preflight` | what is known before training about the calibration of each file? |
"""
