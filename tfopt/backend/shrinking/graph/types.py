"""What of a model can be removed: units, the weights they consist of, and groups of them. Needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["channels", "heads", "width", "block", "layer", "rank"]
"""What one unit is: a channel of convolutions, an attention head, a neuron or feature of dense layers and embeddings, a
residual branch of convolutions, one of Transformers, or a singular value of a kernel that becomes two factors."""

Role: TypeAlias = Literal["produces", "follows", "consumes"]
"""What a weight does with a unit: computes it, acts on it (normalization, scale), or reads it."""

Kept: TypeAlias = Mapping[str, Sequence[int]]
"""Indices of the units that stay, ascending, by name of the group; a group that is not named keeps all.

A group of kind `block` or `layer` has one unit: `()` removes it. Of a group of kind `rank` only the number counts.
"""


@dataclass(frozen=True)
class Member:
    """One axis of one weight, along which units lie.

    Args:
        layer: path of the layer, as `layer_paths` gives it: its name, behind those of nested models.
        weight: index in `layer.weights`.
        axis: of the weight.
        positions: indices along the axis that belong to each unit; empty where the axis has nothing of a unit.
        role: what the weight does with the units.
    """

    layer: str
    weight: int
    axis: int
    positions: tuple[tuple[int, ...], ...]
    role: Role


@dataclass(frozen=True)
class OutputSite:
    """Where values of units can be watched: an axis of the output of a layer.

    Args:
        layer: path of the layer.
        axis: of its first output, the batch axis counted.
        positions: as of `Member`.
    """

    layer: str
    axis: int
    positions: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class ShrinkGroup:
    """Units that are chosen among each other, each removed as a whole from every weight that has a part of it.

    Args:
        name: path of the layer that produces the units first; of a block, of the layer that ends its branch, and of a
            factorization, of its layer with ":rank" or ":spatial_rank" behind it.
        kind: what a unit is.
        units: how many there are.
        channels: how many channels of the first producer one unit is: 1, or more where channels go together.
        members: axes of weights, in the order of the model.
        outputs: where values of the units can be watched, producers first.
        fixed: why no unit can be removed; None where all can but one.
        branch: of kind `block` and `layer`: paths of the layers that go with the branch.
        sizes: of kind `rank`: rows and columns of the kernel as a matrix; at a rank, its two factors have rank * (rows
            + columns) weights.
    """

    name: str
    kind: Kind
    units: int
    channels: int
    members: tuple[Member, ...]
    outputs: tuple[OutputSite, ...] = ()
    fixed: str | None = None
    branch: tuple[str, ...] = ()
    sizes: tuple[int, int] = (0, 0)

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Paths of the layers of its members, each once."""
        return tuple(dict.fromkeys(member.layer for member in self.members))

    def of_role(self, role: Role) -> tuple[Member, ...]:
        """The members that do this with the units."""
        return tuple(member for member in self.members if member.role == role)


@dataclass(frozen=True)
class ShrinkGroups:
    """All groups of a model.

    Args:
        groups: those that can be changed, in the order of the model.
        fixed: those that cannot, each with its reason.
    """

    groups: tuple[ShrinkGroup, ...]
    fixed: tuple[ShrinkGroup, ...] = ()

    def __getitem__(self, name: str) -> ShrinkGroup:
        return next(group for group in self.groups if group.name == name)

    def of_kind(self, *kinds: Kind) -> tuple[ShrinkGroup, ...]:
        """The changeable groups of some kinds."""
        return tuple(group for group in self.groups if group.kind in kinds)


@dataclass(frozen=True)
class Cost:
    """What one example costs.

    Args:
        macs: multiply-accumulate operations.
        parameters: numbers in all weights.
        uncounted: names of layers whose operations cannot be counted.
    """

    macs: int
    parameters: int
    uncounted: tuple[str, ...] = ()
