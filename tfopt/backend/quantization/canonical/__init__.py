"""Canonical form: a model rebuilt so that tfmot can simulate all of it, with the way back.

Stages work on the model as the user wrote it; this form exists only inside quantization. To add a rewrite: one file
with one class (see `rewrite`), and its place in `passes`.

| file | question it answers |
|---|---|
| `canonical` | what is the canonical form of this model, and what are the original's weights after training? |
| `flatten` | what is in the nested models? |
| `rewrite`, `passes` | what is a rewrite, which are there, and in which order? |
| `engine`, `replay`, `copying`, `weights` | how is a model rebuilt? |
| `equality` | does it still compute the same? |
"""

from tfopt.backend.quantization.canonical.canonical import Canonical, Rewritten, canonicalize, initial_weights
from tfopt.backend.quantization.canonical.flatten import Origin, walk

__all__ = ["Canonical", "Origin", "Rewritten", "canonicalize", "initial_weights", "walk"]
