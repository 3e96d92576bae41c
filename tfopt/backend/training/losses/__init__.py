"""Losses that tf_keras lacks.

| file | question it answers |
|---|---|
| `pixels` | Which losses fit maps whose classes cover areas of very different size: focal, Dice? |
"""
