"""Ensembling: the outputs of several models become one.

| file | question it answers |
|---|---|
| `combine` | which layers combine the outputs of the members? |
| `member_weights` | how much should each member count? |
"""
