"""Smaller networks: units that are removed from a model, so that its tensors shrink.

| file | question it answers |
|---|---|
| `graph/` | What of a model can be removed, and what is the model without it? |
"""
