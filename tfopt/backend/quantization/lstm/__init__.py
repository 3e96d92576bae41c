"""LSTMs that round as TFLite's integer operator for them does.

| file | question it answers |
|---|---|
| `simulated` | how is an LSTM simulated, and which can be? |
| `integer` | what does the operator compute in 16 bits? |
| `fixed_point` | what are its sigmoid and its tanh? |
"""
