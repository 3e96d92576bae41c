"""Which weights of a layer clustering is about."""

from __future__ import annotations

import tensorflow as tf
import tf_keras
from tensorflow_model_optimization.python.core.clustering.keras.clusterable_layer import ClusterableLayer
from tensorflow_model_optimization.python.core.clustering.keras.clustering_registry import ClusteringRegistry


def kernels(layer: tf_keras.layers.Layer) -> list[tf.Variable]:
    """The weights of a built layer that tfmot clusters: kernels and tables, never biases; empty where it clusters none.

    A layer class of a user says which they are by being a `tfmot.clustering.keras.ClusterableLayer`.
    """
    if isinstance(layer, ClusterableLayer):
        return [weight for _, weight in layer.get_clusterable_weights()]
    if not layer.trainable_weights or not ClusteringRegistry.supports(layer):
        return []
    ClusteringRegistry.make_clusterable(layer)
    found = [weight for _, weight in layer.get_clusterable_weights()]
    leave_no_trace(layer)
    return found


def leave_no_trace(layer: tf_keras.layers.Layer) -> None:
    """Takes off a layer what tfmot's registry puts on it."""
    if "get_clusterable_weights" in vars(layer):
        del layer.get_clusterable_weights
