"""Keras 3 models as tf_keras models: the same layers under the same names, the same weights, the same outputs."""

from tfopt.backend.bridge.conversion import to_tf_keras
from tfopt.backend.bridge.restore import foreign_code, put_back
from tfopt.backend.bridge.to_keras3 import to_keras
from tfopt.backend.bridge.weight_mapping import pairing

__all__ = ["foreign_code", "pairing", "put_back", "to_keras", "to_tf_keras"]
