"""Texts in a recipe: the block `data.text`.

| file | question it answers |
|---|---|
| `text` | Which keys say how texts become examples? |
| `tokenizers` | Which tokenizers are there, and what do they need? |
"""
