"""Several inputs given in order, as Keras takes them: `((x1, x2), y)`.

Until the model is known they are called input_1, input_2, ...; then they get the names of its inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from tfopt.backend.data.splits import Data, Split
from tfopt.backend.types import Arrays, ExampleArrays
from tfopt.core.language.wording import counted
from tfopt.errors import StageError


def by_position(inputs: object, targets: object) -> object:
    """Inputs in order as a dict of placeholder names; anything else unchanged.

    Args:
        inputs: what a source returned: one array (also as a list of examples), a dict, or a tuple or list of arrays
            with one row per example each.
        targets: of the same examples, or None; they distinguish a list of examples from a list of inputs.
    """
    if not isinstance(inputs, (tuple, list)) or not inputs or not all(getattr(part, "shape", ()) for part in inputs):
        return inputs
    if targets is None and isinstance(inputs, list):
        return inputs
    num_examples = len(targets) if hasattr(targets, "__len__") else None
    if len(inputs) == num_examples and len(inputs[0]) != num_examples:
        return inputs
    if len(inputs) == 1:
        return inputs[0]
    return {f"input_{number}": part for number, part in enumerate(inputs, 1)}


def are_by_position(inputs: object, targets: object) -> bool:
    """Whether these are several inputs in order."""
    named = by_position(inputs, targets)
    return named is not inputs and isinstance(named, dict)


def with_names_of_model(data: Data, names: list[str], model: str) -> Data:
    """The data with the names of the model's inputs, where the source gave inputs in order.

    Args:
        data: of a run.
        names: of the model's inputs, in its order.
        model: its name, for errors.

    Raises:
        StageError: the model has more or fewer inputs.
    """
    given = data.train.inputs
    if not data.positional or not isinstance(given, dict):
        return data
    if len(names) != len(given):
        raise StageError(
            f"{data.source} returns {counted(len(given), 'input')}, but the model {model!r} has {len(names)}: "
            f"{', '.join(names)}.",
            "Give one array for each input of the model, in its order or as a dict by name.",
            code="incompatible_shapes",
        )
    new = dict(zip(given, names, strict=True))
    train, validation, test = (_renamed(split, new) for split in (data.train, data.validation, data.test))
    return replace(data, train=train, validation=validation, test=test)


def _renamed(split: Split, names: Mapping[str, str]) -> Split:
    if not isinstance(split.inputs, dict):
        return split
    inputs: ExampleArrays = {names[name]: array for name, array in split.inputs.items()}
    targets = cast("Arrays", inputs if split.targets is split.inputs else split.targets)
    return replace(split, inputs=inputs, targets=targets)
