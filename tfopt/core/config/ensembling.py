"""Keys of the stages that make one model of several: joined (ensemble) or averaged."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tfopt.core.config.model_source import ModelSource
from tfopt.core.language.block import Block
from tfopt.core.language.mistakes import RecipePath

Combine = Literal["probabilities", "logits", "vote"]
Weight = Annotated[float, Field(gt=0)]


class Ensembling(Block):
    """Keys of the ensemble stage: members, and how they are joined into one model."""

    members: tuple[ModelSource, ...] = ()
    """The other members; the incoming model is the first."""
    seeds: Annotated[int, Field(ge=2)] | None = None
    """Number of members that are made by the stages before this one: with the recipe's own seed (the incoming model),
    and with the seeds that follow it."""
    incoming: bool = True
    """Whether the incoming model is a member; without it, only `members` are."""
    combine: Combine = "probabilities"
    """`probabilities`: their average (of a regression, that of the outputs); `logits`: the average before the softmax;
    `vote`: every member votes for its likeliest class, and the sum of probabilities decides between equal votes (if
    that is equal too, the lower class wins). Of several outputs, those that are quantities are averaged."""
    weights: Literal["learned"] | tuple[Weight, ...] | None = None
    """How much each member counts, in their order, the incoming model first; they sum to 1 (default: all the same).
    `learned`: those with the least loss on the validation split."""

    def num_members(self) -> int:
        """Number of members, the incoming model included."""
        return self.incoming + len(self.members) + (self.seeds or 1) - 1

    @property
    def places(self) -> dict[str, RecipePath]:
        """Recipe path of each member, by its label."""
        return {member.label: ("members", index) for index, member in enumerate(self.members)}


class Averaging(Block):
    """Keys of the average stage: models or epochs, and how their weights are averaged."""

    models: tuple[ModelSource, ...] = ()
    """The other models, e.g. fine-tuned otherwise from the same base; the incoming model is one of the averaged."""
    method: Literal["uniform", "greedy"] = "uniform"
    """`uniform`: all models; `greedy`: from the best one on, each that does not make the average worse on the
    validation split (Wortsman et al. 2022, arXiv:2203.05482)."""
    epochs_of: str | None = None
    """Name of an earlier training stage: average the weights of the epochs that its `keep` holds, in place of `models`
    (stochastic weight averaging: Izmailov et al. 2018, arXiv:1803.05407)."""

    @property
    def places(self) -> dict[str, RecipePath]:
        """Recipe path of each model, by its label."""
        return {source.label: ("models", index) for index, source in enumerate(self.models)}
