"""The operation that becomes DYNAMIC_UPDATE_SLICE of TFLite; TensorFlow has it under no public name."""

from tensorflow.compiler.tf2xla.python.xla import dynamic_update_slice

__all__ = ["dynamic_update_slice"]
