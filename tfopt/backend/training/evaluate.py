"""Evaluation and prediction with a model."""

from __future__ import annotations

from collections.abc import Sequence

import tf_keras

from tfopt.backend.data.arrays.tensors import readable_errors
from tfopt.backend.data.batches import input_batches
from tfopt.backend.data.splits import Split
from tfopt.backend.devices.predictions import predicted
from tfopt.backend.graph.outputs import named
from tfopt.backend.training.anomalies import anomaly_measures, to_be_reproduced
from tfopt.backend.training.measure import measure, only
from tfopt.backend.types import Arrays
from tfopt.core.config.training.compile import Compile


def evaluate(model: tf_keras.Model, split: Split, compile: Compile) -> dict[str, float]:
    """Loss and metrics of a model on a split, by the same code that judges files (`measure`).

    Args:
        model: any Keras model.
        split: what it is judged on.
        compile: loss and metrics.

    Returns:
        `loss`, every metric by name, and `anomaly_auc` where the split has known anomalies.

    Raises:
        StageError: the split is empty, or its targets do not fit the outputs.
    """
    outputs = predict(model, split, names=compile.all_outputs)
    if compile.outputs:
        return measure(outputs, split.targets, compile, split.weights)
    single = only(outputs, "outputs")
    predictions, targets, weights = to_be_reproduced(single, only(split.targets, "targets"), split)
    return {**measure(predictions, targets, compile, weights), **anomaly_measures(single, split)}


def predict(model: tf_keras.Model, split: Split, batch_size: int = 256, names: Sequence[str] = ()) -> Arrays:
    """The outputs of a model for every example of a split, in order: (examples, ...).

    Args:
        model: any Keras model.
        split: the examples.
        batch_size: examples per call.
        names: of its outputs (`Compile.all_outputs`), by which they are returned; none where it has one.
    """
    with readable_errors():
        return named(predicted(model, input_batches(split.inputs, batch_size)), names)
