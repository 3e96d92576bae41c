"""Masks as tensors: what Keras passes along behind the tensors of a model becomes part of its graph.

Every other rewrite loses a mask, tfmot's wrappers stop at one, and the converter crashes on masked integer loops.

| file | question it answers |
|---|---|
| `explicit` | how does a model become one through which no Keras mask flows? |
| `rules` | what does each layer make of its masks? The table to extend |
| `calls` | what does a rule know about a call? |
"""
