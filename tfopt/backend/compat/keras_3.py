"""Of Keras 3: the layers of a model at any depth, and the names that it gives to layers without one."""

from __future__ import annotations

from collections.abc import Iterator

import keras
from keras.src.utils import naming

__all__ = ["all_layers", "naming"]


def all_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Every layer object of a model: the model itself, nested models, their layers, and layers inside wrappers."""
    layers: Iterator[keras.layers.Layer] = model._flatten_layers()
    return layers
