"""What the outputs of a recipe's model mean, by its loss: the one definition for teachers, ensembles and exports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.keras_names import LOSSES

Task = Literal["classes", "binary", "quantities"]
"""What outputs are: one of many classes, yes or no each, or numbers."""

_MARGINS = ("hinge", "squared_hinge")
"""Losses whose outputs are margins: above 0 is yes. What they give are no probabilities, nor logits of such."""


@dataclass(frozen=True)
class Outputs:
    """What the outputs of a model mean.

    Args:
        loss: name of the recipe's loss.
        are_logits: whether the model leaves softmax or sigmoid to the loss (`from_logits`).
    """

    loss: str
    are_logits: bool

    @classmethod
    def of(cls, compile: Compile) -> Outputs:
        """The meaning of an output with this `compile` block: that of a model with one, or of one of several."""
        return cls(compile.loss_kind, bool(compile.single_loss.arguments().get("from_logits", False)))

    @property
    def task(self) -> Task:
        """What they are; margins of hinge losses and similarities are quantities, for there is no softmax of them."""
        if self.loss.startswith("binary"):
            return "binary"
        hinge = self.loss in (*_MARGINS, "categorical_hinge")
        return "classes" if self.are_classes and not hinge else "quantities"

    @property
    def are_classes(self) -> bool:
        """Whether each output is a choice among classes, so that two models agree where they choose the same."""
        return LOSSES[self.loss].classification

    @property
    def are_probabilities(self) -> bool:
        """Whether they are probabilities or, with `are_logits`, logits of such: the loss is a cross-entropy."""
        return self.loss.endswith("crossentropy")

    @property
    def squash(self) -> Literal["softmax", "sigmoid"] | None:
        """What makes probabilities of logits; None where the loss is not a cross-entropy."""
        if not self.are_probabilities:
            return None
        return "sigmoid" if self.loss.startswith("binary") else "softmax"

    @property
    def one_per_label(self) -> bool:
        """Whether each number is a yes or no of its own, rather than the score of one class of several."""
        return self.loss.startswith("binary") or self.loss in _MARGINS

    @property
    def threshold(self) -> float:
        """Above it, a number that is a yes or no of its own means yes."""
        return 0.0 if self.are_logits or self.loss in _MARGINS else 0.5
