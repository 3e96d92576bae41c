"""Calibration examples that the user's own function selects: called, checked, and kept away from the test split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import sha256

import numpy as np

from tfopt.backend.data.arrays.reading import arrays_in_memory, named, slices
from tfopt.backend.data.splits import Data, Split, num_examples
from tfopt.backend.types import Array, Arrays, ExampleArrays
from tfopt.catalog import references
from tfopt.catalog.guard import guarded
from tfopt.errors import StageError

_EXPECTED = "It is called with the inputs and the targets of the training split, and returns positions or examples."


def selected_by_function(source: str, data: Data) -> Split:
    """The examples that a function selects.

    Args:
        source: `package.module:function`; it is called with the inputs and the targets of the training split, which it
            cannot change. It returns positions (integers, or a truth value for each example), or examples of the form
            of the inputs.
        data: the splits.

    Returns:
        The examples. Their targets are those of the split, and zeros where the function returned examples.

    Raises:
        StageError: the function fails, or returns no examples, none of the right shape, or examples of the test split.
    """
    function = references.named(source)
    train = data.train
    inputs, targets = (
        _locked(arrays_in_memory(arrays, f"The training examples, which {source} is called with,"))
        for arrays in (train.inputs, train.targets)
    )
    returned = guarded(lambda: function(inputs, targets), source)
    positions = None if isinstance(returned, Mapping) else _positions(returned, len(train), source)
    if positions is not None:
        return train.select(positions)
    examples = _examples(returned, inputs, source)
    _keep_test_split_out(examples, data, source)
    return Split(examples, np.zeros(num_examples(examples), np.int64))


def _positions(returned: object, count: int, source: str) -> Array | None:
    """What a function returned as positions in the training split; None where it is no list of positions."""
    found = guarded(lambda: np.asarray(returned), source)
    if found.size == 0:
        raise _unusable(source, "returned no examples", code="too_few_examples")
    if found.ndim != 1 or found.dtype.kind not in "iub":
        return None
    if found.dtype.kind == "b":
        if len(found) != count:
            raise _unusable(source, f"returned {len(found)} truth values for {count} training examples")
        if not found.any():
            raise _unusable(source, "returned no examples", code="too_few_examples")
        return np.flatnonzero(found)
    outside = found[(found < 0) | (found >= count)]
    if outside.size:
        raise _unusable(
            source, f"returned the position {outside[0]}; the training split has positions 0 to {count - 1}"
        )
    return found


def _examples(returned: object, inputs: Arrays, source: str) -> Arrays:
    if not isinstance(inputs, dict):
        return _like(returned, inputs, source, "examples")
    if not isinstance(returned, Mapping) or set(returned) != set(inputs):
        names = ", ".join(inputs)
        raise _unusable(source, f"must return an array for each input ({names}). Got {type(returned).__name__}")
    found = {name: _like(returned[name], values, source, f"values of {name}") for name, values in inputs.items()}
    lengths = {name: len(values) for name, values in found.items()}
    if len({*lengths.values()}) > 1:
        raise _unusable(source, f"returned inputs of different lengths: {lengths}")
    return found


def _like(returned: object, inputs: Array, source: str, what: str) -> Array:
    """An array with the dtype and the shape of an example of `inputs`."""
    found = guarded(lambda: np.asarray(returned), source)
    if found.ndim == 0 or found.shape[1:] != inputs.shape[1:] or found.dtype.kind not in "fiub":
        raise _unusable(
            source,
            f"returned {what} of shape {list(found.shape)} and type {found.dtype}. Expected positions, or "
            f"[examples, {', '.join(map(str, inputs.shape[1:]))}]",
        )
    if len(found) == 0:
        raise _unusable(source, "returned no examples", code="too_few_examples")
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise _unusable(source, f"returned {what} that are not finite")
    if inputs.dtype.kind in "iub" and (found != np.trunc(found)).any():
        raise _unusable(source, f"returned {what} that are not whole numbers, for inputs of type {inputs.dtype}")
    return found.astype(inputs.dtype)


def _keep_test_split_out(examples: Arrays, data: Data, source: str) -> None:
    """Refuses examples that are in the test split and not in the training split."""
    own = Counter(_rows(examples))
    found = own.keys() & set(_rows(data.test.inputs))
    if found:
        leaked = sum(own[row] for row in found - set(_rows(data.train.inputs)))
        if leaked:
            raise _unusable(
                source,
                f"returned {leaked} example{'s' if leaked > 1 else ''} of the test split, which calibration may not "
                "see",
                code="test_split_used",
            )


def _rows(arrays: ExampleArrays) -> Iterator[bytes]:
    """A hash of the content of each example."""
    by_name = [array for _, array in sorted(named(arrays).items())]
    for rows in slices(max(by_name, key=lambda array: array.nbytes)):
        parts = [np.ascontiguousarray(array[rows]) for array in by_name]
        for row in range(len(parts[0])):
            yield sha256(b"|".join(part[row].tobytes() for part in parts)).digest()


def _locked(arrays: Arrays) -> Arrays:
    """Views that own code cannot write into: it would change what is trained on."""
    if isinstance(arrays, dict):
        return {name: _view(array) for name, array in arrays.items()}
    return _view(arrays)


def _view(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view


def _unusable(source: str, what: str, *, code: str = "unusable_code") -> StageError:
    return StageError(f"{source} {what}.", _EXPECTED, code=code)
