"""Layers of an integer file that may be float, and how claims name tensors. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tfopt.core.config.quantization import FloatPolicy
from tfopt.core.records.report import TensorRecord

_NAMED = 5


@dataclass(frozen=True)
class FloatLayers:
    """Which layers of an int8 file may compute in float.

    Args:
        policy: `forbid`: none; `listed`: those of `planned`; `allow`: any.
        planned: why a layer is known to stay float, by Keras name.
    """

    policy: FloatPolicy = "listed"
    planned: Mapping[str, str] = field(default_factory=dict)

    @property
    def allowed(self) -> Mapping[str, str]:
        """The layers that may be float, where not all may."""
        return self.planned if self.policy == "listed" else {}


LISTED = FloatLayers()
"""None but those that are listed, of which there are none."""


def named(tensor: TensorRecord) -> str:
    """A tensor with its layer."""
    return f"tensor {tensor.name!r}" + (f" (layer {tensor.layer})" if tensor.layer else "")


def listed(parts: Sequence[str]) -> str:
    """The first of several parts, and how many more there are."""
    rest = len(parts) - _NAMED
    return ", ".join(parts[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
