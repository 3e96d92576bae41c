"""Names that Keras 3 gives to layers without one: `naming.get_uid` counts them over the whole process."""

from keras.src.utils import naming

__all__ = ["naming"]
