"""Recurrent layers: what TFLite's LSTM operator and its loops need around them.

| file | what it rewrites |
|---|---|
| `bidirectional_lstm` | Bidirectional(LSTM), as two LSTMs and Concatenate |
| `concatenated_lstms` | a Concatenate of results of LSTMs |
| `recurrent_inputs` | the input of a recurrent layer that is a loop in TFLite |
"""
