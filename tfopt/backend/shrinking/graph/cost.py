"""What a model costs: multiply-accumulate operations and parameters."""

from __future__ import annotations

import numpy as np
import tf_keras

from tfopt.backend.graph.calls import calls
from tfopt.backend.graph.macs import macs
from tfopt.backend.shrinking.graph.types import Cost


def cost(model: tf_keras.Model) -> Cost:
    """The cost of one example.

    Args:
        model: functional, or a built Sequential.
    """
    counted, uncounted = 0, []
    for call in calls(model):
        found = macs(call.layer, call.inputs, call.output)
        if found is None:
            uncounted.append(call.layer.name)
        counted += found or 0
    parameters = sum(int(np.prod(weight.shape)) for weight in model.weights)
    return Cost(counted, parameters, tuple(dict.fromkeys(uncounted)))


def rounded(count: float, channels: int, units: int, divisor: int) -> int:
    """The number of units to keep whose channels are a multiple of a divisor.

    Args:
        count: wanted number of units.
        channels: of one unit.
        units: of the group.
        divisor: channel counts that kernels like are multiples of it.

    Returns:
        The nearest such number, at least one multiple, and all units where the group has fewer.
    """
    step = divisor // np.gcd(divisor, channels)
    if units <= step:
        return units
    return int(min(max(round(count / step) * step, step), units))
