"""All rewrites, in order.

A group is applied until none of its rewrites finds a layer, before the next group is tried: so what one group makes,
a later one sees. Within a group the first rewrite that applies to a layer is taken.
"""

from __future__ import annotations

from tfopt.backend.canonical.nary import NaryMerge
from tfopt.backend.canonical.rewrite import Rewrite
from tfopt.backend.canonical.separable_conv2d import SeparableConv2D

PHASES: tuple[tuple[Rewrite, ...], ...] = (
    (NaryMerge(),),
    (SeparableConv2D(),),
)
