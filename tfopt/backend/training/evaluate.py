"""Evaluation and prediction with a model."""

from __future__ import annotations

import numpy as np
import tf_keras

from tfopt.backend.data.batches import evaluation_batches
from tfopt.backend.data.splits import Split
from tfopt.backend.training import compile as compiling
from tfopt.backend.training.anomalies import anomaly_measures, to_be_reproduced
from tfopt.backend.types import Arrays
from tfopt.core.config.compile import Compile
from tfopt.errors import StageError


def evaluate(model: tf_keras.Model, split: Split, compile: Compile, batch_size: int = 256) -> dict[str, float]:
    """Loss and metrics of a model on a split, by the same code that judges files (`compiling.measure`).

    Args:
        model: any Keras model.
        split: what it is judged on.
        compile: loss and metrics.
        batch_size: examples per call.

    Returns:
        `loss`, every metric by name, and `anomaly_auc` where the split has known anomalies.

    Raises:
        StageError: the split is empty, or its targets do not fit the outputs.
    """
    outputs = predict(model, split, batch_size)
    judged = to_be_reproduced(outputs, single_targets(split.targets), split)
    return {**compiling.measure(*judged, compile), **anomaly_measures(outputs, split)}


def predict(model: tf_keras.Model, split: Split, batch_size: int = 256) -> np.ndarray:
    """The outputs of a model for every example of a split, in order: (examples, ...)."""
    return model.predict(evaluation_batches(split, batch_size).map(lambda inputs, targets: inputs), verbose=0)


def single_targets(targets: Arrays) -> np.ndarray:
    """The targets of a split with one target.

    Raises:
        StageError: there are several.
    """
    if isinstance(targets, dict):
        raise StageError(
            f"the data has several targets ({', '.join(targets)}); tfopt trains models with one output.",
            code="invalid_data",
        )
    return targets
