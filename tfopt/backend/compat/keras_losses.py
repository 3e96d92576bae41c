"""The losses that a tf_keras layer collects: they have no public interface that a wrapper could use."""

from __future__ import annotations

import tf_keras

__all__ = ["regularize_as"]


def regularize_as(wrapper: tf_keras.layers.Layer, layer: tf_keras.layers.Layer) -> None:
    """Lets a wrapper add the loss of its layer's `activity_regularizer`.

    tfmot's wrappers call `layer.call`, not the layer: its activities are no longer regularized, and what its
    construction left in its list of losses, a tensor of another graph, becomes a part of the model's loss ("cannot be
    accessed from here", at the first step).

    Args:
        wrapper: of the layer.
        layer: has been called before.
    """
    if layer._activity_regularizer is not None:
        wrapper._activity_regularizer = layer._activity_regularizer
        del layer._losses[:]
