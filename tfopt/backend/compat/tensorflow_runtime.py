"""Of TensorFlow's runtime: its table of operations (whether one has state), and the fingerprint of a SavedModel."""

from tensorflow.python.framework import op_def_registry
from tensorflow.python.saved_model import fingerprinting_utils

__all__ = ["fingerprinting_utils", "op_def_registry"]
