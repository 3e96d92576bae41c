"""Which mode and algorithm each operator of a file gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from tfopt.backend.quantizer.layer_modes import LayerModes
from tfopt.backend.quantizer.operators import Operator
from tfopt.core.config.files.algorithms import ALGORITHMS, MIN_MAX
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.files.weight_kernels import LSTM, PRODUCT, reason_no_kernel, stored_as
from tfopt.core.config.quantization_modes import MODES, Mode

_ROWS_ARE_FLOATS = ("EMBEDDING_LOOKUP",)
"""Operators that make floats of small weights, whatever a file computes in."""


@dataclass(frozen=True)
class Choice:
    """How one operator is written.

    Args:
        operator: of the float file.
        mode: how its weights are stored and it computes; None where it stays as it is.
        algorithm: how they are rounded.
    """

    operator: Operator
    mode: Mode | None
    algorithm: str = MIN_MAX


def choices(
    operators: Iterable[Operator], variant: Variant, layers: LayerModes, writes: Callable[[str, Mode], bool]
) -> Iterator[Choice]:
    """The choice for each operator.

    Args:
        operators: of the file.
        variant: its keys in the recipe.
        layers: modes of layers by the rules of the recipe.
        writes: whether the quantizer can write an operator, by its name, in a mode with integer activations.

    In a file with float activations, an operator that has no kernel for the weights of its mode gets what
    `tfopt.core.config.files.weight_kernels.stored_as` says. In an integer file the body of a loop, whose state would be
    rounded at each step, is computed in float with int8 kernels, as in an int8 file; so is what `reason_float` names.
    """
    for operator in operators:
        mode = MODES[layers.modes.get(operator.layer or "", variant.quantize)]
        if variant.mode.integer_only and reason_float(operator) is None:
            wanted = _with_integers(operator, mode, variant.mode)
            yield Choice(operator, wanted if wanted is None or _possible(operator, wanted, writes) else None)
        elif operator.row == 0:
            yield Choice(operator, None)
        else:
            stored = stored_as(mode, operator.name, operator.row)
            yield Choice(operator, stored, _algorithm(variant.algorithm, stored, operator))


def reason_float(operator: Operator) -> str | None:
    """Why an operator computes in float whatever the file does; None where it need not."""
    if operator.in_loop:
        return "a loop computes in float, with int8 kernels"
    if operator.name == LSTM:
        return f"litert-quantizer does not know {LSTM}, which computes in float with int8 kernels"
    if operator.name == PRODUCT and operator.row:
        return f"LiteRT's {PRODUCT} of integers and constant weights is wrong"
    return None


def _with_integers(operator: Operator, mode: Mode, file: Mode) -> Mode | None:
    """The mode of an operator in a file with integer activations: with smaller weights where a rule says so."""
    if mode.weights == "float32":
        return None
    if not mode.in_integer_files or reason_no_kernel(mode, operator.name, operator.row) is not None:
        return file
    if operator.name in _ROWS_ARE_FLOATS:
        return mode
    return replace(mode, activations=file.activations)


def _possible(operator: Operator, mode: Mode, writes: Callable[[str, Mode], bool]) -> bool:
    return operator.floats and (not mode.integer_only or writes(operator.name, mode))


def _algorithm(wanted: str | None, mode: Mode | None, operator: Operator) -> str:
    """The algorithm of a recipe where it is for such an operator and such weights; calibration does not see loops."""
    if wanted is None or mode is None:
        return MIN_MAX
    algorithm = ALGORITHMS[wanted]
    known = algorithm.applies_to(mode) and operator.name in algorithm.operators
    possible = not (algorithm.calibrated and operator.in_loop) and operator.open_axes <= algorithm.most_open_axes
    return wanted if known and possible else MIN_MAX
