"""What a plan says about mixed precision: how much of a model computes in 16 bits, and whether that pays here."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfopt.backend.training.precision.compute import computing_in
from tfopt.core.config.training.precision import Precision, compute_dtype, is_mixed


def precision_warnings(model: tf_keras.Model, precision: Precision | None, trains: bool) -> list[str]:
    """Sentences worth reading before training in mixed precision; none in float32.

    Args:
        model: the starting model; it is as before afterwards.
        precision: of the recipe.
        trains: whether a stage trains in it: one that is not quantization-aware.
    """
    if not is_mixed(precision):
        return []
    if not trains:
        return [f"precision: {precision} has no effect: no stage but those in float32 (qat) trains."]
    found = []
    with computing_in(precision, model) as computed:
        share = computed.parameters / max(computed.total, 1)
    if share < 0.5:
        found.append(
            f"precision: {precision} concerns {share:.0%} of the weights of the model {model.name!r}: layers of types "
            "that tfopt does not know train in float32."
        )
    if not tf.config.list_physical_devices("GPU"):
        found.append(
            f"precision: {precision} pays on a GPU, and TensorFlow finds none here: most processors emulate "
            f"{compute_dtype(precision)}, which is slower than float32."
        )
    return found
