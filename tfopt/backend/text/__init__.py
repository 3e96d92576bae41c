"""Texts as token ids: tokenizers and what they are trained on. No TensorFlow here.

| file | question it answers |
|---|---|
| `tokenizer` | How does a text become ids, and ids a text, from the files that travel with a model? |
"""
