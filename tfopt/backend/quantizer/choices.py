"""Which mode and algorithm each operator of a file gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tfopt.backend.quantizer.layer_modes import LayerModes
from tfopt.backend.quantizer.operators import Operator
from tfopt.core.config.algorithms import ALGORITHMS, MIN_MAX
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.quantization_modes import MODES, Mode
from tfopt.core.config.weight_kernels import stored_as


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
    `tfopt.core.config.weight_kernels.stored_as` says. In an integer file the body of a loop, whose state would be
    rounded at each step, is computed in float with int8 kernels, as in an int8 file.
    """
    for operator in operators:
        mode = MODES[layers.modes.get(operator.layer or "", variant.quantize)]
        if mode.integer_only and not operator.in_loop:
            yield Choice(operator, mode if operator.floats and writes(operator.name, mode) else None)
        elif operator.row == 0:
            yield Choice(operator, None)
        else:
            stored = stored_as(mode, operator.name, operator.row)
            yield Choice(operator, stored, _algorithm(variant.algorithm, stored, operator))


def _algorithm(wanted: str | None, mode: Mode | None, operator: Operator) -> str:
    """The algorithm of a recipe where it is for such an operator and such weights; calibration does not see loops."""
    if wanted is None or mode is None:
        return MIN_MAX
    algorithm = ALGORITHMS[wanted]
    known = algorithm.applies_to(mode) and operator.name in algorithm.operators
    possible = not (algorithm.calibrated and operator.in_loop) and operator.open_axes <= algorithm.most_open_axes
    return wanted if known and possible else MIN_MAX
