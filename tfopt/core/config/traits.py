"""What a model is, by the stages it went through."""

from __future__ import annotations

from typing import Literal

Trait = Literal["trained", "sparse", "clustered", "quantized"]
"""What a model is, by the stages it went through. Order rules follow from traits."""
