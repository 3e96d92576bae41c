"""Tiny folders as Transformers writes them, and the forward passes of their models in NumPy.

| file | question it answers |
|---|---|
| `folders` | How is a folder of BERT, DistilBERT or GPT-2 with random weights written? |
| `forward` | What do BERT, DistilBERT and GPT-2 compute? |
"""
