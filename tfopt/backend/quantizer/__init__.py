"""Files that litert-quantizer makes of a float32 file: weights below 8 bits, in blocks, alone, and int16x8.

The quantizer needs no TensorFlow and follows regular expressions over names of tensors; a recipe speaks of Keras
layers. Here one becomes the other, operator by operator, and what the quantizer does wrong is put right before and
after. All of it runs in the child process of the conversion.

| file | question it answers |
|---|---|
| `quantize` | how does a float32 file become one of a mode? The function to call |
| `rules`, `layer_modes` | which layers have a mode of their own, by the rules of the recipe? |
| `preflight` | what is said before training? |
| `layer_weights` | which operators will read the weights of a Keras layer? |
| `operators` | which operators have weights, of which layers and lengths? |
| `choices` | which mode and algorithm does each operator get? |
| `engine` | how does litert-quantizer learn what each operator becomes? |
| `float_parts` | which layers does an int16x8 file compute in float? |
| `ranges` | what are activations over the calibration examples? |
| `lstm_weights` | how does the LSTM operator, which the quantizer does not know, get int8 weights? |
| `edits` | what is changed in the float32 file before? |
"""
