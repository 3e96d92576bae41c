"""The result of a stage in the store: a plain model, or a quantized one that is rebuilt around its float model."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import tf_keras

from tfopt.backend import quantization
from tfopt.backend.models import build as models

Model = tf_keras.Model | quantization.Quantized
"""The result of a stage."""


def save(model: Model, folder: Path) -> None:
    """Writes a stage's result into an empty folder."""
    if isinstance(model, quantization.Quantized):
        quantization.save_quantized(model, folder)
    else:
        models.save_model(model, folder)


def load(folder: Path) -> Model:
    """Reads what `save` wrote; the outputs are the same."""
    return quantization.load_quantized(folder) if quantization.is_quantized(folder) else models.load_model(folder)


def copied(model: Model) -> Model:
    """A copy as `load` would make it, whose variables are those of the current strategy."""
    with TemporaryDirectory() as folder:
        save(model, Path(folder))
        return load(Path(folder))


def float_model(model: Model) -> tf_keras.Model:
    """The model with float weights: itself, or the one inside a quantized one."""
    return model.float_model if isinstance(model, quantization.Quantized) else model


def inference_model(model: Model) -> tf_keras.Model:
    """The model that predicts: itself, or the one that simulates 8 bits."""
    return model.model if isinstance(model, quantization.Quantized) else model
