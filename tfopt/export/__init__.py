"""One file per export target; the file's name is the recipe's key. Importable without TensorFlow.

| file | question it answers |
|---|---|
| `tflite` | which keys do `.tflite` variants have, and what is known about them before training? |
| `saved_model` | what does `saved_model:` write? |
| `keras` | what does `keras:` write? |
| `bundle` | what does `bundle:` put together of them? |
"""
