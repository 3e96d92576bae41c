"""How weights are rounded: every value of `algorithm:` in a recipe, as one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tfopt.core.config.files.weight_kernels import LSTM, OPERATORS
from tfopt.core.config.quantization_modes import Mode


@dataclass(frozen=True)
class Algorithm:
    """One way to choose the scales and the rounded values of weights.

    Args:
        meaning: a few words for the documentation.
        operators: those it is for; the others get `min_max`.
        weights: dtypes that it knows.
        blocks: whether it knows weights in blocks.
        calibrated: it needs training examples.
        most_open_axes: how many axes of what it rounds for may have any size.
        moves_zeros: why weights that are zero, or share a value, do not stay so; None where they do.
        weights_only: whether it knows operators that read their weights as float32.
    """

    meaning: str
    operators: frozenset[str]
    weights: frozenset[str] = frozenset({"int8", "int4", "int2"})
    blocks: bool = True
    calibrated: bool = False
    most_open_axes: int = 9
    moves_zeros: str | None = None
    weights_only: bool = True

    def applies_to(self, mode: Mode) -> bool:
        """Whether files of a mode can have it: those in which integer weights meet float activations."""
        return (
            mode.weights in self.weights
            and not mode.integer_only
            and (self.blocks or not mode.block)
            and (self.weights_only or not mode.weights_only)
        )


_ALL = OPERATORS - {LSTM}

MIN_MAX = "min_max"
"""The algorithm of a file whose recipe names none."""

ALGORITHMS: Mapping[str, Algorithm] = {
    MIN_MAX: Algorithm("the largest weight of a channel sets its scale", _ALL),
    "mse": Algorithm(
        "the scale with the least squared error for normally distributed weights",
        _ALL - {"BATCH_MATMUL"},
        weights=frozenset({"int8", "int4"}),
        blocks=False,
    ),
    "octav": Algorithm("clipped where the squared error is least, weights as they are (arXiv:2206.06501)", _ALL),
    "gptq": Algorithm(
        "each rounding error is made up for by later weights, measured on training examples (arXiv:2210.17323)",
        frozenset({"FULLY_CONNECTED"}),
        calibrated=True,
        moves_zeros="it changes weights to make up for the rounding of others",
    ),
    "hadamard": Algorithm(
        "inputs and weights rotated, so that no weight stands out; then as `octav` (arXiv:2404.00456)",
        frozenset({"FULLY_CONNECTED", "EMBEDDING_LOOKUP"}),
        most_open_axes=1,
        moves_zeros="it rotates weights into sums of each other",
        weights_only=False,
    ),
}
"""The algorithms by the value of `algorithm:`."""

if TYPE_CHECKING:
    AlgorithmName = str
else:  # the table is the only list of names; mypy cannot read a Literal that is made from it
    AlgorithmName = Literal[tuple(ALGORITHMS)]


def algorithms_for(mode: Mode) -> tuple[str, ...]:
    """Names of the algorithms that a mode allows."""
    return tuple(name for name, algorithm in ALGORITHMS.items() if algorithm.applies_to(mode))


def describe_algorithms() -> str:
    """The documentation of `algorithm`."""
    meanings = "; ".join(f"`{name}`: {algorithm.meaning}" for name, algorithm in ALGORITHMS.items())
    return f"How weights are rounded (default: by the engine's own rule, which is `{MIN_MAX}`): {meanings}."
