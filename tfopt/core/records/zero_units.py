"""What a prune stage promised about heads and blocks that it made zero, for the claims of files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class KernelSlices:
    """The zeros of one kernel of an attention layer.

    Args:
        inputs: whether its heads are among its inputs (the output projection) or its outputs.
        slices: number of heads of the kernel, which lie one after the other.
        zero: positions of those that are zero.
    """

    inputs: bool
    slices: int
    zero: tuple[int, ...]


@dataclass(frozen=True)
class ZeroHeads:
    """The heads of one attention layer.

    Args:
        layer: its name.
        heads: number of them.
        zero: positions of those that are zero.
        kernels: of queries, keys, values and the output.
    """

    layer: str
    heads: int
    zero: tuple[int, ...]
    kernels: tuple[KernelSlices, ...]


@dataclass(frozen=True)
class ZeroUnits:
    """The promise of a prune stage.

    Args:
        heads: of each layer with a rule for heads.
        blocks: layers of each block that is zero, by its name.
        num_blocks: number of blocks, those that stay included.
    """

    heads: tuple[ZeroHeads, ...]
    blocks: Mapping[str, tuple[str, ...]]
    num_blocks: int

    @classmethod
    def of(cls, details: Mapping[str, Any]) -> ZeroUnits:
        """The promise in the details of a stage (`StageRecord.details["zero_units"]`)."""
        heads = tuple(
            ZeroHeads(
                layer,
                one["heads"],
                tuple(one["zero"]),
                tuple(KernelSlices(k["inputs"], k["slices"], tuple(k["zero"])) for k in one["kernels"]),
            )
            for layer, one in details["heads"].items()
        )
        blocks = {name: tuple(layers) for name, layers in details["blocks"].items()}
        return cls(heads, blocks, details["num_blocks"])
