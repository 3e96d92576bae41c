"""Weights from folders as Hugging Face's Transformers write them: `config.json`, `model.safetensors`, `tokenizer.json`.

| file | question it answers |
|---|---|
| `folder` | Where is the folder, and which tensors does it hold? |
| `layout` | What is a layout: sizes, and which tensor goes into which weight? |
| `bert`, `distilbert`, `gpt2` | The layouts that are known, one file each |
| `assign` | Do folder and model fit, and what does each weight become? |
| `rows` | Which row of the folder's embedding belongs to which token of the data? |
"""
