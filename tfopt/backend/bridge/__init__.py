"""Keras 3 models as tf_keras models: the same layers under the same names, the same weights, the same outputs."""

from tfopt.backend.bridge.conversion import to_tf_keras
from tfopt.backend.bridge.pairing import pairing

__all__ = ["pairing", "to_tf_keras"]
