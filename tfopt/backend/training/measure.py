"""Loss and metrics of plain predictions, so that Keras models and files are judged by the same code."""

from __future__ import annotations

from typing import overload

import numpy as np
import tensorflow as tf

from tfopt.backend.data.arrays.reading import slices
from tfopt.backend.training.compile import first_line, make_loss, make_metrics
from tfopt.backend.training.losses.weighted import WeightedLoss
from tfopt.backend.training.metrics.counted import num_counted
from tfopt.backend.training.metrics.together import measure_together
from tfopt.backend.types import Array, Arrays, ExampleArray, ExampleArrays
from tfopt.core.config.training.compile import Compile
from tfopt.errors import StageError

_MOST_BYTES = 64 << 20
"""Of predictions, judged at a time, so that the outputs of a language model need not be in memory twice."""


def measure(
    predictions: ExampleArrays, targets: ExampleArrays, compile: Compile, sample_weights: Arrays | None = None
) -> dict[str, float]:
    """Loss and metrics of any predictions, so that Keras models and files are judged by the same code.

    The loss is that of the outputs alone: regularization terms, which a file does not have, are left out.

    Args:
        predictions: outputs of a model, (examples, ...), in memory or not; by output name where the recipe names
            outputs.
        targets: what they should have been, (examples, ...), in the same form.
        compile: the recipe's block.
        sample_weights: how much each example counts in the loss, in the same form; metrics are of the examples, or
            positions, whose weight is not 0. None where all count the same.

    Returns:
        `loss` and every metric by name; of several outputs, the weighted sum of their losses, `<output>_loss` and
        `<output>_<metric>` of each, and the metrics of all together.

    Raises:
        StageError: an output or its targets are missing, the shapes do not fit together, or a metric cannot be computed
            from them.
    """
    if not compile.outputs:
        weights = None if sample_weights is None else only(sample_weights, "sample weights")
        return _measure_one(only(predictions, "outputs"), only(targets, "targets"), compile, weights)
    outputs, labels = (
        by_name(arrays, compile, kind) for arrays, kind in ((predictions, "outputs"), (targets, "targets"))
    )
    of_examples = {} if sample_weights is None else by_name(sample_weights, compile, "sample weights")
    each = {
        name: _measure_one(outputs[name], labels[name], of, of_examples.get(name), name)
        for name, of in compile.of_each().items()
    }
    values = {"loss": sum(compile.weight_of(name) * found["loss"] for name, found in each.items())}
    values |= {f"{name}_loss": found.pop("loss") for name, found in each.items()}
    values |= {f"{name}_{metric}": value for name, found in each.items() for metric, value in found.items()}
    return values | measure_together(outputs, labels, compile)


@overload
def only(arrays: Arrays, kind: str) -> Array: ...


@overload
def only(arrays: ExampleArrays, kind: str) -> ExampleArray: ...


def only(arrays: ExampleArrays, kind: str) -> ExampleArray:
    """The array of a model with one output.

    Args:
        arrays: one array, or several by name.
        kind: what they are, for the error.

    Raises:
        StageError: there are several.
    """
    if not isinstance(arrays, dict):
        return arrays
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    raise StageError(
        f"there are the {kind} {', '.join(arrays)}, but compile.loss is that of one output.",
        f"Write the loss of each output by its name: loss: {{{next(iter(arrays))}: ...}}.",
        code="incompatible_model",
    )


def by_name(arrays: ExampleArrays, compile: Compile, kind: str) -> dict[str, ExampleArray]:
    """The arrays of the outputs that a recipe judges, by name.

    Args:
        arrays: by name; a single one where the recipe names one output.
        compile: names the outputs.
        kind: what they are, for the error.

    Raises:
        StageError: those of an output are missing.
    """
    named = arrays if isinstance(arrays, dict) else dict(zip(compile.outputs, [arrays], strict=False))
    missing = [name for name in compile.outputs if name not in named]
    if missing:
        raise StageError(
            f"the {kind} of {', '.join(missing)} are missing; there are {', '.join(named)}.",
            "compile.loss names the outputs that are judged.",
            code="unknown_output",
        )
    return {name: named[name] for name in compile.outputs}


def _measure_one(
    predictions: ExampleArray,
    targets: ExampleArray,
    compile: Compile,
    sample_weights: ExampleArray | None,
    output: str = "",
) -> dict[str, float]:
    of = f" of {output}" if output else ""
    if len(predictions) != len(targets) or not len(targets):
        raise StageError(
            f"got {len(predictions)} predictions for {len(targets)} targets{of}; expected one for each, and at least "
            "one.",
            code="incompatible_shapes",
        )
    loss = make_loss(compile) if sample_weights is None else WeightedLoss(make_loss(compile))
    metrics = make_metrics(compile, targets.shape, predictions.shape)
    own = any(each.reference is not None for each in (compile.single_loss, *compile.single_metrics))
    parts = [slice(None)] if own else list(slices(predictions, _MOST_BYTES))
    losses, weights = [], []
    try:
        for part in parts:
            some, own_weights = tf.constant(predictions[part]), None if sample_weights is None else sample_weights[part]
            expected = targets[part]
            # As Keras does in fit: (examples,) becomes (examples, 1) where predictions have two axes.
            expected = expected[:, np.newaxis] if targets.ndim == 1 and predictions.ndim == 2 else expected
            # A loss of the user's own may take targets and outputs only.
            found = loss(expected, some) if own_weights is None else loss(expected, some, own_weights)
            losses.append(float(found))
            weights.append(num_counted(expected, compile))
            for metric in metrics:
                if own_weights is None:
                    metric.update_state(expected, some)
                elif (counts := own_weights > 0).any():
                    metric.update_state(expected[counts], some[counts])
        values = {"loss": float(np.average(losses, weights=weights)) if any(weights) else losses[0]}
        values |= {metric.name: float(np.mean(metric.result())) for metric in metrics}
    except (ValueError, tf.errors.InvalidArgumentError) as error:
        raise StageError(
            f"targets{of} of shape {targets.shape} cannot be judged against outputs of shape {predictions.shape}: "
            f"{first_line(error)}",
            "Choose a loss and metrics that fit the labels.",
            code="incompatible_shapes",
        ) from error
    return values
