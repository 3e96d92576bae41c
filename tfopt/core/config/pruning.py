"""Keys of the prune stage, and how they resolve for each layer."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from tfopt.core.config.allocation import Allocation, global_allocation
from tfopt.core.config.layer_rules import LayerRule, last_match
from tfopt.core.config.rewind import Rewind
from tfopt.core.config.schedules import Schedule
from tfopt.core.language.block import Block, KeyMistake

BlockSize = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]
"""(height, width) of the blocks that are pruned together."""

MByN = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=2)]]
"""(m, n): m zeros in any n consecutive weights along the input channels."""


PrunedUnit = Literal["head", "block"]
"""What a rule makes zero as a whole: attention heads, or blocks of layers."""

XNNPACK_BLOCK = (16, 1)
"""Block of `policy: xnnpack_blocks`: sparse kernels of LiteRT read 4 inputs of float weights together, 16 of int8."""
DEFAULT_CRITERION = "magnitude"
"""The criterion of a stage that names none; the key stays None, so that stored results keep their keys."""


class Pattern(Block):
    """Arrangement of the zeros of a layer.

    Block sparsity and m-by-n exclude each other. An m-by-n pattern fixes how many zeros there are: of its schedule only
    begin, end and every count.
    """

    block_size: BlockSize = (1, 1)
    """Prune whole blocks of a 2-dimensional kernel (Dense only); (1, 1) prunes single weights."""
    block_pooling: Literal["average", "max"] = "average"
    """How the magnitude of a block is computed."""
    sparsity_m_by_n: MByN | None = None
    """`[2, 4]`: two zeros in any four consecutive weights along the input channels."""
    unit: PrunedUnit | None = None
    """Whole heads or whole blocks become zero; None for weights, by the keys above."""


class PruneRule(LayerRule):
    """Rule for the layers it matches; keys that are absent keep the stage's own value."""

    skip: bool = False
    """Leave these layers dense."""
    schedule: Schedule | None = None
    """Another sparsity schedule for these layers."""
    block_size: BlockSize | None = None
    """Another block size for these layers."""
    sparsity_m_by_n: MByN | None = None
    """m-by-n sparsity for these layers."""
    unit: PrunedUnit | None = None
    """What becomes zero as a whole. `head`: in each attention layer, the least important heads; sparsity is the share
    of its heads, of which one stays. `block`: the layers whose names have the same text in the parentheses of `match`,
    such as `block([0-9]+)_.*`, are a block; sparsity is the share of blocks, of which one stays. Tensors keep their
    sizes: `shrink` removes heads and blocks."""

    @model_validator(mode="after")
    def _skip_alone(self) -> PruneRule:
        if self.skip and (self.schedule or self.block_size or self.sparsity_m_by_n or self.unit):
            raise ValueError("says skip: true and also how to prune; remove one of the two")
        patterns = [key for key in ("block_size", "sparsity_m_by_n", "unit") if getattr(self, key)]
        if len(patterns) > 1:
            raise ValueError(f"says both {' and '.join(patterns)}; choose one pattern of zeros")
        if self.unit == "block" and re.compile(self.match).groups != 1:
            raise KeyMistake(
                ("match",),
                "match needs one pair of parentheses with unit: block, around what differs from block to block, such "
                f"as block([0-9]+)_.*. Got {self.match}",
                code="conflicting_keys",
            )
        return self


class Pruning(Block):
    """Keys of the prune stage, without those of training."""

    schedule: Schedule
    """Sparsity over the steps of this stage."""
    allocation: Allocation = "uniform"
    """`uniform`: every layer follows the schedule; `global`: all together do, under one threshold."""
    layers: tuple[PruneRule, ...] = ()
    """Ordered rules by layer name and/or type; the last that matches wins."""
    block_size: BlockSize = (1, 1)
    """Prune whole blocks of Dense kernels: [height, width]."""
    block_pooling: Literal["average", "max"] = "average"
    """How the magnitude of a block is computed."""
    sparsity_m_by_n: MByN | None = None
    """`[2, 4]`: two zeros in any four consecutive weights."""
    policy: Literal["all", "xnnpack", "xnnpack_blocks"] = "all"
    """`all`: every layer tfmot can prune; `xnnpack`: only the 1x1 convolutions that XNNPACK runs faster when sparse;
    `xnnpack_blocks`: only Dense layers, in blocks of 16 inputs, which kernels skip in files with `sparse: true`: faster
    in float32 (a claim of the file), smaller but not faster than dense int8 in int8."""
    criterion: str | None = None
    """What ranks the weights, by its name; the least important become zero (default: magnitude, their absolute
    value)."""
    rewind: Rewind | None = None
    """Back to the weights of an earlier epoch once the final sparsity is reached; the masks stay."""

    @property
    def pattern(self) -> Pattern:
        """Arrangement of the zeros in layers without a rule."""
        blocks = XNNPACK_BLOCK if self.policy == "xnnpack_blocks" and self.block_size == (1, 1) else self.block_size
        return Pattern(block_size=blocks, block_pooling=self.block_pooling, sparsity_m_by_n=self.sparsity_m_by_n)

    def pools(self, name: str, kind: str) -> bool:
        """Whether a layer that is pruned gets its sparsity from an allocation over all layers."""
        rule = last_match(self.layers, name, kind)
        asked = self.for_layer(name, kind)
        fixed = asked is not None and (bool(asked[1].sparsity_m_by_n) or asked[1].unit == "block")
        own = (rule is not None and rule.schedule is not None) or fixed
        return global_allocation(self.allocation) is not None and not own

    def for_layer(self, name: str, kind: str) -> tuple[Schedule, Pattern] | None:
        """Schedule and pattern of a layer, or None where a rule says skip."""
        rule = last_match(self.layers, name, kind)
        if rule is None:
            return self.schedule, self.pattern
        if rule.skip:
            return None
        changes: dict[str, object] = {}
        if rule.block_size is not None:
            changes = {"block_size": rule.block_size, "sparsity_m_by_n": None}
        elif rule.sparsity_m_by_n is not None:
            changes = {"block_size": (1, 1), "sparsity_m_by_n": rule.sparsity_m_by_n}
        elif rule.unit is not None:
            changes = {"block_size": (1, 1), "sparsity_m_by_n": None, "unit": rule.unit}
        return rule.schedule or self.schedule, self.pattern.model_copy(update=changes)
