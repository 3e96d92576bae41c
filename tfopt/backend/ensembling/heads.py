"""Which outputs of its members an ensemble combines, and how each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tf_keras

from tfopt.backend.ensembling.combine import combined_values
from tfopt.backend.graph.outputs import output_names, positions
from tfopt.backend.training.metrics.counted import ignored_class
from tfopt.core.config.ensembling import Combine
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.outputs import Outputs

_QUANTITIES = Outputs("mean_squared_error", are_logits=False)
"""What an output without a loss is taken for: its values are averaged."""


@dataclass(frozen=True)
class Head:
    """One output.

    Args:
        name: of the output, where there are several; empty for a single one.
        meaning: of its values.
        combine: how those of the members are combined.
        ignored: label that its loss leaves out; None where it leaves out none.
        known: names of all outputs of the recipe's model, in order.
    """

    name: str
    meaning: Outputs
    combine: Combine
    ignored: int | None = None
    known: tuple[str, ...] = ()

    @property
    def squashed(self) -> bool:
        """Whether the members give probabilities, but their logits are combined."""
        return self.combine == "logits" and not self.meaning.are_logits

    def position(self, member: tf_keras.Model) -> int:
        """Of the output among those of a member, which may have another order or names of its own.

        Raises:
            KeyError: the member has no such output.
        """
        return positions(output_names(member), [self.name], self.known)[0] if self.name else 0

    def values(self, predictions: np.ndarray, weights: Sequence[float]) -> np.ndarray:
        """What the ensemble gives for the outputs of its members, (members, examples, ...)."""
        return combined_values(predictions, weights, self.combine, self.meaning)


def heads(compile: Compile, combine: Combine) -> tuple[Head, ...]:
    """The outputs of a recipe's model, in order.

    Of several outputs, those that are no choice among classes cannot be voted on, and those without probabilities have
    no logits: their values are averaged.

    Args:
        compile: the recipe's block.
        combine: what the stage asks for.
    """
    judged = compile.of_each()
    found = []
    for name in compile.all_outputs or ("",):
        meaning = Outputs.of(judged[name]) if name in judged else _QUANTITIES
        ignored = ignored_class(judged[name]) if name in judged else None
        possible = not name or fits(combine, meaning)
        found.append(Head(name, meaning, combine if possible else "probabilities", ignored, compile.all_outputs))
    return tuple(found)


def fits(combine: Combine, meaning: Outputs) -> bool:
    """Whether an output can be combined in a way."""
    if combine == "vote":
        return meaning.squash == "softmax"
    return combine != "logits" or meaning.squash is not None
