"""Compares two sets of outputs: the share of equal predictions, or for regression the error over the signal; and the
share of values that are as close as a quantized output can tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tfopt.backend.data.arrays.reading import slices
from tfopt.backend.training.metrics.counted import counted_outputs
from tfopt.backend.types import Array, ExampleArrays
from tfopt.core.claims.agreement import OutputComparison
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.outputs import Outputs

_QUANTITIES = 16

_ROUNDING = 1 + 1e-3
"""Two values one step apart differ by a little more or less than the step, in float32."""


_MOST_BYTES = 64 << 20
"""Outputs that are looked at together: those of a language model may not fit into memory as often as needed."""


def compare(found: Array, expected: Array, compile: Compile, targets: ExampleArrays | None = None) -> OutputComparison:
    """Compares outputs as the recipe's loss interprets them.

    Args:
        found: outputs to compare, (examples, ...).
        expected: outputs they should equal, of the same shape.
        compile: whose loss determines whether outputs are classes. Sequence outputs count per element, multi-label
            outputs per label.
        targets: of the examples; where the loss ignores some of them, their outputs do not count.

    Returns:
        Share of equal predictions; for a regression loss the error over the signal, and the largest absolute
        difference. An output that is not a number is never equal to one that is.
    """
    examples = len(expected)
    if found.shape != expected.shape:
        return OutputComparison(examples, share=0.0)
    found, expected = (counted_outputs(outputs, targets, compile) for outputs in (found, expected))
    meaning = Outputs.of(compile)
    if not meaning.are_classes:
        difference = np.abs(found.astype(np.float64) - expected.astype(np.float64))
        errors = relative_errors(found, expected)
        worst = int(np.argmax(np.where(np.isnan(errors), np.inf, errors)))
        return OutputComparison(
            examples,
            difference=float(difference.max()) if difference.size else 0.0,
            spread=float(expected.max() - expected.min()) if expected.size else 0.0,
            relative_error=float(errors[worst]),
            worst=f"output {worst}" if len(errors) > 1 else "",
        )
    equal = predictions(found, meaning) == predictions(expected, meaning)
    return OutputComparison(examples, share=float(np.mean(equal)) if equal.size else 1.0, predictions=equal.size)


def compare_each(
    found: Mapping[str, Array], expected: Mapping[str, Array], compile: Compile, targets: ExampleArrays | None = None
) -> tuple[OutputComparison, ...]:
    """Compares each output as its loss interprets it.

    Args:
        found: outputs to compare, by name; of a model with one output, its name does not count.
        expected: outputs they should equal; an output that `found` lacks is not equal.
        compile: the recipe's block.
        targets: of the examples, by output name where there are several.
    """
    if not compile.all_outputs:
        (one,), (other,) = found.values(), expected.values()
        return (compare(one, other, compile, targets),)
    return tuple(
        replace(
            compare(
                found.get(name, np.zeros(0)),
                expected[name],
                compile.meaning_of(name),
                targets.get(name) if isinstance(targets, dict) else None,
            ),
            output=name,
        )
        for name in compile.all_outputs
    )


def relative_errors(found: Array, expected: Array) -> Array:
    """Error over signal: root mean square of the error, over the standard deviation of the expected outputs.

    A value of 0.1 is a signal-to-noise ratio of 20 dB. Up to 16 outputs of an example (its last axis) are quantities of
    their own, each with its unit and scale; more are one signal, such as an image, a spectrum or an embedding, of which
    some values hardly ever change.

    Args:
        found: outputs to compare, (examples, ..., outputs).
        expected: outputs they should equal, of the same shape.

    Returns:
        One error per quantity; infinite where a signal does not change at all, but the error is not zero.
    """
    width = expected.shape[-1] if expected.ndim > 1 and expected.shape[-1] <= _QUANTITIES else 1
    expected = expected.astype(np.float64).reshape(-1, width)
    if not expected.size:
        return np.zeros(width)
    error = np.sqrt(np.mean(np.square(found.astype(np.float64).reshape(-1, width) - expected), axis=0))
    signal = expected.std(axis=0)
    # A quantity that is the same for all examples is judged by its size.
    signal = np.where(signal > 0, signal, np.abs(expected.mean(axis=0)))
    with np.errstate(divide="ignore", invalid="ignore"):
        errors: Array = np.where(error == 0, 0.0, error / signal)
    return errors


def share_within(found: Array, expected: Array, step: float) -> float:
    """Share of output values, of any loss, that differ by at most `step`; 0 where a shape differs."""
    if found.shape != expected.shape:
        return 0.0
    within = 0
    for part in slices(expected, _MOST_BYTES):
        difference = np.abs(found[part].astype(np.float64) - expected[part].astype(np.float64))
        within += int(np.count_nonzero(difference <= step * _ROUNDING))
    return within / expected.size if expected.size else 1.0


def predictions(outputs: Array, meaning: Outputs) -> Array:
    """Class ids (without the last axis of the outputs), or 0/1 per label; -1 where the output is not a number."""
    parts = list(slices(outputs, _MOST_BYTES))
    if len(parts) < 2:
        return _predictions(outputs, meaning)
    return np.concatenate([_predictions(outputs[part], meaning) for part in parts])


def _predictions(outputs: Array, meaning: Outputs) -> Array:
    numbers = ~np.isnan(outputs)
    if outputs.ndim < 2 or outputs.shape[-1] == 1 or meaning.one_per_label:
        return np.where(numbers, outputs > meaning.threshold, -1)
    return np.where(numbers.all(axis=-1), np.argmax(outputs, axis=-1), -1)
