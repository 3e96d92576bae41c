"""The decoder of the zoo, in both of its forms."""

from __future__ import annotations

import numpy as np
import pytest

from tfopt.backend.graph.kernels import prunable_kernels
from tfopt.backend.models.zoo import gpt

pytestmark = pytest.mark.tf

MOST = 0.05
"""Above all values of a normal distribution of standard deviation 0.02, cut off at twice of it."""


def test_kernels_of_attention_begin_alike_with_learned_and_rotary_positions() -> None:
    for positions in ("learned", "rotary"):
        model = gpt.build((6,), 9, width=32, blocks=1, heads=2, positions=positions)
        kernels = [kernel.numpy() for kernel in prunable_kernels(model.get_layer("block1_attention"))]
        assert len(kernels) == 4
        assert all(0.01 < kernel.std() < 0.03 and np.abs(kernel).max() < MOST for kernel in kernels)
        assert not np.array_equal(kernels[0], kernels[1])
