"""Sum of absolute values: the units with the smallest are removed."""

from __future__ import annotations

from tfopt.backend.pruning.criteria.magnitude import Magnitude


class L1(Magnitude):
    """L1 norm of the weights of a unit (Li et al. 2017, arXiv:1608.08710); of a single weight its absolute value."""
