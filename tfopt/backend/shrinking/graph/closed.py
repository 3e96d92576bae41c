"""Nested models of which nothing can be changed."""

from __future__ import annotations

import tf_keras

from tfopt.backend.bridge.opened_layer import OwnLayer, OwnWeights
from tfopt.backend.graph.layers import all_layers


def is_closed(model: tf_keras.Model) -> bool:
    """Whether a nested model is a layer of a user's own class that has weights outside of the layers inside it.

    Its class would have to receive other sizes, and plain layers of Keras 3 have no such weights.
    """
    return isinstance(model, OwnLayer) and any(isinstance(layer, OwnWeights) for layer in all_layers(model))
