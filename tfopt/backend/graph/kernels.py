"""Which weights of a layer pruning is about."""

from __future__ import annotations

import tensorflow as tf
import tf_keras
from tensorflow_model_optimization.python.core.sparsity.keras.prunable_layer import PrunableLayer
from tensorflow_model_optimization.python.core.sparsity.keras.prune_registry import PruneRegistry


def kernels(layer: tf_keras.layers.Layer) -> list[tf.Variable]:
    """The weights of a built layer that tfmot prunes: kernels and tables, never biases; empty where it prunes none."""
    if isinstance(layer, PrunableLayer) or hasattr(layer, "get_prunable_weights"):
        return list(layer.get_prunable_weights())
    if not PruneRegistry.supports(layer):
        return []
    if type(layer) in PruneRegistry._RNN_LAYERS:
        return [
            getattr(cell, name)
            for cell in PruneRegistry._get_rnn_cells(layer)
            for name in PruneRegistry._RNN_CELLS_WEIGHTS_MAP[type(cell)]
        ]
    return [_attribute(layer, name) for name in PruneRegistry._LAYERS_WEIGHTS_MAP[type(layer)]]


def _attribute(layer: tf_keras.layers.Layer, path: str) -> tf.Variable:
    found = layer
    for name in path.split("."):
        found = getattr(found, name)
    return found
