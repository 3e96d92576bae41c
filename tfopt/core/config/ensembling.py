"""What stages that fuse several models into one are asked to do, apart from where the models come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tfopt.core.config.compile import Compile

Combine = Literal["probabilities", "logits", "vote"]


@dataclass(frozen=True)
class Ensembling:
    """How members answer together.

    Args:
        combine: what is combined.
        weights: one per member, with the sum 1; `learned` on the validation split; None for all the same.
        incoming: whether the incoming model is the first member.
        places: where the recipe names a member, by its label.
    """

    combine: Combine = "probabilities"
    weights: Literal["learned"] | tuple[float, ...] | None = None
    incoming: bool = True
    places: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Outputs:
    """What the outputs of a recipe's model mean.

    Args:
        squash: what makes probabilities of logits; None where the outputs are quantities, not classes.
        are_logits: whether the model leaves that to the loss.
    """

    squash: Literal["softmax", "sigmoid"] | None
    are_logits: bool

    @classmethod
    def of(cls, compile: Compile) -> Outputs:
        """Read off the loss."""
        name = compile.loss.name
        if not name.endswith("crossentropy"):
            return cls(None, False)
        logits = bool(compile.loss.arguments().get("from_logits", False))
        return cls("sigmoid" if name.startswith("binary") else "softmax", logits)


@dataclass(frozen=True)
class Averaging:
    """Which weights are averaged, and how.

    Args:
        method: all, or those that help.
        epochs_of: the earlier stage whose kept epochs are averaged; None for models.
        places: where the recipe names a model, by its label.
    """

    method: Literal["uniform", "greedy"] = "uniform"
    epochs_of: str | None = None
    places: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)
