"""Reading of layers and weights by tf_keras: its public functions read whole models only."""

from __future__ import annotations

from tf_keras.src.layers import serialization
from tf_keras.src.saving.legacy import hdf5_format
from tf_keras.src.saving.legacy.saved_model import json_utils
from tf_keras.src.saving.serialization_lib import SafeModeScope

__all__ = ["SafeModeScope", "hdf5_format", "json_utils", "layer_classes"]


def layer_classes() -> dict[str, object]:
    """The classes that tf_keras finds by their bare name in a configuration."""
    serialization.populate_deserializable_objects()
    classes: dict[str, object] = serialization.LOCAL.ALL_OBJECTS
    return classes
