"""Metrics of all outputs of a model together, such as the precision of an object detector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from tfopt.backend.data.arrays.reading import in_memory
from tfopt.backend.training.metrics.detection import average_precision_of
from tfopt.backend.training.own_losses import own_metric_of_all
from tfopt.backend.types import ExampleArray
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.keras_objects import Metric
from tfopt.errors import StageError

OfAll = Callable[[Mapping[str, ExampleArray], Mapping[str, ExampleArray]], float]
"""Computes a number from targets and predictions, both (examples, ...) by output name."""


def measure_together(
    predictions: Mapping[str, ExampleArray], targets: Mapping[str, ExampleArray], compile: Compile
) -> dict[str, float]:
    """The metrics under `compile.metrics.model`, by name.

    Args:
        predictions: outputs of a model, (examples, ...), by output name.
        targets: what they should have been.
        compile: the recipe's block.

    Raises:
        StageError: code of the user's own fails, or returns no number.
    """
    return {
        metric.label: _number(metric, _function(metric, compile)(targets, predictions)) for metric in compile.together
    }


def _function(metric: Metric, compile: Compile) -> OfAll:
    if metric.reference is not None:
        own = own_metric_of_all(metric)
        return lambda *given: own(*({name: in_memory(array) for name, array in arrays.items()} for arrays in given))
    return partial(average_precision_of, metric, compile)


def _number(metric: Metric, value: object) -> float:
    try:
        return float(np.mean(np.asarray(value, dtype=np.float64)))
    except (TypeError, ValueError) as error:
        raise StageError(
            f"{metric.name} returned {type(value).__name__}.", "Expected a number.", code="unusable_code"
        ) from error
