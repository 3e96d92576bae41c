"""Keys of the shrink stage: a budget, and how channels, heads and widths are chosen that go."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from tfopt.core.config.layer_rules import LayerRule, last_match
from tfopt.core.config.schedules import Schedule
from tfopt.core.config.shrink_budget import ShrinkBudget
from tfopt.core.language.block import Block
from tfopt.core.language.quantities import Share

DEFAULT_SHRINK_CRITERION = "taylor"
"""The criterion of a shrink stage that names none."""
GroupKind = Literal["channels", "heads", "width", "block", "layer", "rank"]
"""What can be removed: output channels, attention heads, the width of embeddings and residual streams of a Transformer,
residual blocks, Transformer layers; singular values of kernels, which become products of two smaller ones."""


def _share(value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError("must be at least 0% and at most 100%")
    return value


class ShrinkRule(LayerRule):
    """Rule for the units that the layers it matches produce; keys that are absent keep the stage's own value."""

    skip: bool = False
    """Keep all units of these groups."""
    floor: Share | None = None
    """Another least share of units that stay."""
    divisor: Annotated[int, Field(ge=1)] | None = None
    """Another number of which the units that stay are a multiple."""

    _floor = field_validator("floor")(lambda value: value if value is None else _share(value))

    @model_validator(mode="after")
    def _skip_alone(self) -> ShrinkRule:
        if self.skip and (self.floor is not None or self.divisor is not None):
            raise ValueError("says skip: true and also how to shrink; remove one of the two")
        return self


class Shrinking(Block):
    """Keys of the shrink stage, without those of training."""

    to: ShrinkBudget
    """The budget: exactly one of macs, parameters, bytes, latency and threshold."""
    criterion: str | None = None
    """What ranks the units, by its name; those with the smallest scores go (default: taylor). `tfopt ls criteria`."""
    allocation: Literal["uniform", "global", "sensitivity"] = "global"
    """How the budget is shared out. `uniform`: every group keeps about the same share of its units; `global`: units of
    all groups are ranked together; `sensitivity`: the loss of each group at several widths is measured once on the
    validation split and stored, then the best widths within the budget are found by integer programming."""
    remove: Annotated[tuple[GroupKind, ...], Field(min_length=1)] | None = None
    """What may be removed (default: channels, heads and width). `block` and `layer`, whole residual branches, only if
    named, with allocation sensitivity and without a schedule. `rank`, only if named and without a schedule: kernels
    become two layers of low rank, by inputs and outputs or by rows and columns; with other kinds it needs allocation
    sensitivity, which finds where it is the better bargain."""
    divisor: Annotated[int, Field(ge=1)] = 8
    """The number of units that stay in a group is a multiple of this: what kernels compute in one step. A group whose
    own number is not keeps all of them, or a smaller multiple."""
    floor: Share | None = None
    """The least share of the units of a group that stays; at least `divisor` units stay in any case. By default, at
    least two thirds of what equal shares of all groups would leave of the group; 0% sets no limit."""
    layers: tuple[ShrinkRule, ...] = ()
    """Ordered rules by layer name and/or type; the last that matches a layer that produces units of a group wins."""
    schedule: Schedule | None = None
    """Removes step by step: the units that will go are held at zero in training, and taken out at its end. The sparsity
    of the schedule is the share of the budgeted cost that is gone; its final one must be that of `to`. Without one,
    everything is removed before the first step, and only the small network is trained."""
    group_lasso: Annotated[float, Field(gt=0)] | None = None
    """Factor of a term of the loss that draws whole units to zero in training (Wen et al. 2016, arXiv:1608.03665);
    needs a schedule."""
    calibration_examples: Annotated[int, Field(ge=1)] = 512
    """Training examples from which gradients, activations and the reconstruction are computed."""
    reconstruct: bool | Literal["updates"] = True
    """Solve the weights that read removed units again, so that their outputs on the calibration examples are as before
    (least squares, He et al. 2017, arXiv:1707.06168). With a schedule, `true` has no effect, as training goes on with
    the weights there are; `updates` solves them at each update that removes units, for which a smaller network is built
    each time: a schedule of few rounds is best."""
    batch_norm: bool = True
    """Estimate the statistics of batch normalization again when units have been removed. Where weights were solved, the
    loss on 1,024 training examples says whether these, the new statistics or both are kept."""
    dense_teacher: bool = True
    """Learn from the outputs of the model before the stage too, unless `teacher` names another."""

    _floor = field_validator("floor")(lambda value: value if value is None else _share(value))

    def rule_for(self, layers: dict[str, str]) -> ShrinkRule | None:
        """The rule that holds for a group: the last that matches any of its layers.

        Args:
            layers: Keras layer type by name.
        """
        found = [rule for name, kind in layers.items() if (rule := last_match(self.layers, name, kind)) is not None]
        return max(found, key=self.layers.index, default=None)
