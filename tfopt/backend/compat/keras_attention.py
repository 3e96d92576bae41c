"""Where Keras 3 masks the scores of attention that no layer of its own computes: `nn._apply_masks`."""

from keras.src.backend.tensorflow import nn

__all__ = ["nn"]
