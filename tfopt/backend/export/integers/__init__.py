"""Integer files: what the converter needs besides its own calibration.

| file | question it answers |
|---|---|
| `between_floats` | what is between operators without an integer kernel? |
| `float_rules` | which layers does a rule keep in float in an int8 file, and how? |
| `integer_steps` | what is done between calibration and quantization in an int8 conversion? |
| `loops` | how does a recurrent layer that is a loop get into an int8 file, and stay accurate? |
| `small_weights` | how do layers of an int8 file get int4 weights, by a rule? |
| `lstm_operator` | which scales of TFLite's int8 LSTM operator are wrong, and how are they corrected? |
"""
