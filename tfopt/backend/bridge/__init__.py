"""Keras 3 models as tf_keras models: the same layers under the same names, the same weights, the same outputs."""

from tfopt.backend.bridge.conversion import to_tf_keras
from tfopt.backend.bridge.restore import custom_code, restore_keras3
from tfopt.backend.bridge.to_keras3 import to_keras
from tfopt.backend.bridge.weight_mapping import variable_pairs

__all__ = ["custom_code", "restore_keras3", "to_keras", "to_tf_keras", "variable_pairs"]
