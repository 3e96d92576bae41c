"""The generator that layers of tf_keras draw from: a resumed run must continue its stream."""

from tf_keras.src.backend import RandomGenerator

__all__ = ["RandomGenerator"]
