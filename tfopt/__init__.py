"""tfopt: one recipe carries a Keras model to a small, fast and proven TFLite file."""

__version__ = "0.1.0"
