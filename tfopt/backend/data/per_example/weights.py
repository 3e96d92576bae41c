"""How much each example counts in the loss: from the source, or from a function of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from tfopt.backend.data.splits import Split
from tfopt.backend.types import Array, ExampleArray
from tfopt.catalog import references
from tfopt.core.language.suggest import closest
from tfopt.core.language.wording import counted
from tfopt.errors import StageError

IN_ORDER = "target {}"
"""Names of targets, and of their weights, that a source gave in order."""


def with_weights(split: Split, given: object, what: str) -> Split:
    """A split with the weights of its examples.

    Args:
        split: inputs and targets, checked.
        given: an array (n,), or (n, ...) with a weight for each position of the targets; of several outputs, one array
            for all, a dict by their names (an output that is left out counts fully), or a tuple in their order. None
            leaves the split as it is.
        what: source and split, for errors.

    Returns:
        The split with float32 weights, by output name where the targets are.

    Raises:
        StageError: they do not fit the targets, are negative or not finite, or all of them are 0.
    """
    if given is None:
        return split
    n = len(split)
    targets = split.targets
    if targets is split.inputs or not isinstance(targets, dict):
        if isinstance(given, Mapping | tuple):
            raise StageError(
                f"{what}: the sample weights are a {type(given).__name__}, but there is one array of targets.",
                "Expected one array, with a number for each example.",
                code="invalid_data",
            )
        shape = (n,) if isinstance(targets, dict) or targets is split.inputs else (n, *targets.shape[1:])
        return replace(split, weights=_checked(given, shape, f"{what}: sample weights"))
    weights = {name: np.ones(n, np.float32) for name in targets}
    weights |= {
        name: _checked(array, (n, *targets[name].shape[1:]), f"{what}: sample weights of {name}")
        for name, array in _by_output(given, targets, what).items()
    }
    return replace(split, weights=weights)


def with_own_weights(splits: Mapping[str, Split], reference: str, folder: Path) -> dict[str, Split]:
    """The splits of a source with the weights that a function of the user's own gives their examples.

    Args:
        splits: labels as numbers.
        reference: `package.module:function`, called for each split with its inputs (arrays, or what reads rows as it is
            indexed) and targets; it returns what `with_weights` takes.
        folder: of the recipe, where modules are found.

    Raises:
        StageError: there is no such function, it fails, or its weights do not fit.
    """
    function = references.function(reference, folder)
    result = {}
    for name, split in splits.items():
        if split.weights is not None:
            raise StageError(
                f"data.sample_weights is {reference}, but the source gives the examples of the {name} split weights.",
                "Leave one of them out.",
                code="conflicting_keys",
            )
        given = references.call_with(function, reference, (split.inputs, split.targets), folder)
        if given is None:
            raise StageError(f"{reference} returned no weights for the {name} split.", code="user_code_failed")
        result[name] = with_weights(split, given, f"{reference}, {name} split")
    return result


def _by_output(given: object, targets: Mapping[str, ExampleArray], what: str) -> Mapping[str, object]:
    if isinstance(given, tuple):
        if len(given) != len(targets):
            raise StageError(
                f"{what}: there are {counted(len(given), 'array')} of sample weights for {len(targets)} outputs.",
                "Give one for each output, in order, or a dict by their names.",
                code="invalid_data",
            )
        return dict(zip(targets, given, strict=True))
    if not isinstance(given, Mapping):
        return dict.fromkeys(targets, given)
    unknown = [str(name) for name in given if name not in targets]
    if unknown:
        in_order = next(iter(targets)) == IN_ORDER.format(1)
        raise StageError(
            f"{what}: the sample weights name the output {unknown[0]!r}, "
            + (
                "but the targets have no names." if in_order else f"which has no targets.{closest(unknown[0], targets)}"
            ),
            "Return the targets as a dict, too, or the weights as a tuple in the order of the targets."
            if in_order
            else f"There are targets of {', '.join(targets)}.",
            code="unknown_output",
        )
    return {str(name): array for name, array in given.items()}


def _checked(given: object, shape: tuple[int, ...], label: str) -> Array:
    try:
        weights = np.asarray(given)
    except ValueError as error:
        raise StageError(f"{label} are no array: {error}.", code="invalid_data") from error
    if weights.ndim == 2 and weights.shape[1] == 1:
        weights = weights[:, 0]
    if weights.dtype.kind not in "biuf" or weights.ndim == 0 or weights.shape != shape[: weights.ndim]:
        raise StageError(
            f"{label} have dtype {weights.dtype} and shape {weights.shape}.",
            f"Expected numbers of shape ({shape[0]},): one for each example"
            + (f"; or {shape}: one for each position of the targets." if len(shape) > 1 and shape[1] > 1 else "."),
            code="invalid_data",
        )
    weights = weights.astype(np.float32)
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)).reshape(len(weights), -1).all(axis=1))
    if wrong.size:
        raise StageError(
            f"{label}: {counted(wrong.size, 'example')} of {len(weights)} have a weight that is negative, NaN or "
            f"infinite, first example {wrong[0]}: {weights[wrong[0]]}.",
            "A weight is 0 (the example does not count) or more.",
            code="invalid_data",
        )
    if weights.size and not weights.any():
        raise StageError(f"{label} are all 0: nothing would be learned or measured.", code="invalid_data")
    return weights
