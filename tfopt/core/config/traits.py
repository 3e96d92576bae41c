"""Traits of a model, by the stages that were applied to it."""

from __future__ import annotations

from typing import Literal

Trait = Literal["trained", "sparse", "clustered", "quantized"]
"""One trait of a model. Rules for the order of stages follow from traits."""
