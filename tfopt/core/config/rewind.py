"""Going back to earlier weights when pruning has reached its final sparsity.

Renda, Frankle and Carbin, "Comparing Rewinding and Fine-tuning in Neural Network Pruning" (2020), arXiv:2003.02389:
weight rewinding; after Frankle, Dziugaite, Roy and Carbin, "Linear Mode Connectivity and the Lottery Ticket Hypothesis"
(2019), arXiv:1912.05671, who rewind to an early epoch instead of the initialization.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tfopt.core.language.block import Block


class Rewind(Block):
    """The earlier weights to which the remaining weights are reset."""

    stage: str
    """Name of an earlier training stage, whose `keep` holds the epoch."""
    epoch: Annotated[int, Field(ge=1)]
    """The weights are those at the end of this epoch of it."""
