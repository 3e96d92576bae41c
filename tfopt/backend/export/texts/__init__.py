"""Texts before they are token ids: what an app must do to them, or what a SavedModel does inside.

| file | question it answers |
|---|---|
| `raw_texts` | what must an app do to a text, and which texts prove it? |
| `tokenizing` | which tokenizers has TensorFlow operators for, and what do they do? |
"""
