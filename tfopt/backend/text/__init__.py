"""Texts as token ids: tokenizers and what they are trained on. No TensorFlow here.

| file | question it answers |
|---|---|
| `tokenizer` | How does a text become ids, and ids a text, from the files that travel with a model? |
| `training` | How does a training split make a tokenizer? |
| `files` | How are tokenizers of others read? |
| `truncation`, `sentencepiece_model` | What is left of a vocabulary when only what the texts use is kept? |
| `tables`, `folders`, `decoding` | How are texts and labels read from files? |
| `examples` | How do texts become token ids of one length? |
"""
