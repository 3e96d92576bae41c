"""Sound: from WAV files to the inputs of a model, and the same in operations of TensorFlow, for `layers.AudioFeatures`.

| file | question it answers |
|---|---|
| `wav` | Which samples does a WAV file hold, and what is wrong with it? |
| `settings` | How do samples become features: rate, windows, bands, coefficients? |
| `features` | The same in NumPy: log-mel, MFCC |
| `tensors` | The same in operations of TensorFlow that TFLite has |
"""
