"""Canonical form: a copy of a model that tfmot can simulate completely, and the way back to the original.

Stages work on the model as the user wrote it; this form exists only inside quantization. To fix or add a rewrite: one
file in `rewrites/` with one class (see `rewrite`), and its place in the table `passes.PASSES`.

| file | question it answers |
|---|---|
| `canonical` | what is the canonical form of this model, and what are the original's weights after training? |
| `passes` | which rewrites exist, and in which order are they applied? The table to extend |
| `rewrites/` | how is a layer of this type rewritten? One file per layer |
| `rewrites/operators/` | which Keras layer replaces this TensorFlow operator? One file per operator |
| `rewrites/recurrent/` | how are recurrent layers rewritten? |
| `masks/`, `mask_layers` | how do masks become tensors, before all other rewrites? |
| `rewrite` | what does a rewrite implement, and what does it work on? |
| `engine`, `replay`, `copying`, `weights` | how is a model rebuilt, call by call? |
| `flatten` | which layers are in the nested models? |
| `table_layers` | how is one table both an embedding and an output layer? |
| `custom_layers`, `normalization_layers` | which layers exist only in this form? |
| `expand_to_4d`, `kernel_arguments`, `affine` | what do several rewrites share? |
| `batch_norm`, `lstm_scales` | what does the converter make of batch normalization and of LSTMs? |
| `equality` | are the outputs still the same? |
"""

from tfopt.backend.quantization.canonical.canonical import Canonical, RewrittenLayer, canonicalize, initial_weights
from tfopt.backend.quantization.canonical.flatten import OriginalLayer, flattened_layers

__all__ = ["Canonical", "OriginalLayer", "RewrittenLayer", "canonicalize", "flattened_layers", "initial_weights"]
