"""Keras 3 models as tf_keras models: the same layers under the same names, the same weights, the same outputs."""

from tfopt.backend.bridge.back import foreign_code, put_back
from tfopt.backend.bridge.conversion import to_tf_keras
from tfopt.backend.bridge.pairing import pairing
from tfopt.backend.bridge.reverse import to_keras

__all__ = ["foreign_code", "pairing", "put_back", "to_keras", "to_tf_keras"]
