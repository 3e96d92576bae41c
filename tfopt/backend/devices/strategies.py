"""The strategy that a recipe is trained with."""

from __future__ import annotations

from functools import cache

import tensorflow as tf

from tfopt.backend.devices.found import Layout, layout
from tfopt.core.config.distribution import Distribution
from tfopt.errors import StageError


def start(asked: Distribution) -> None:
    """Does what TensorFlow wants done before anything else: divides the processor, or connects the workers.

    Raises:
        WrongDevices: there are no such devices, or TF_CONFIG is wrong.
        StageError: TensorFlow is at work in this process already, or the workers do not find each other.
    """
    found = layout(asked)
    if found is None:
        return
    if found.workers > 1:
        strategy(asked)
    elif found.devices[0].startswith("CPU"):
        _divide_processor(len(found.devices))


@cache
def strategy(asked: Distribution) -> tf.distribute.Strategy | None:
    """The strategy of a recipe, the same one for the same request; None for one device, as without `distribute`.

    Raises:
        WrongDevices: there are no such devices, or TF_CONFIG is wrong.
        StageError: the workers do not find each other.
    """
    found = layout(asked)
    if found is None:
        return None
    if found.workers > 1:
        return _of_workers(found)
    return tf.distribute.MirroredStrategy(list(found.devices))


def _divide_processor(devices: int) -> None:
    (processor,) = tf.config.list_physical_devices("CPU")
    if len(tf.config.get_logical_device_configuration(processor) or (None,)) >= devices:
        return
    try:
        parts = [tf.config.LogicalDeviceConfiguration()] * devices
        tf.config.set_logical_device_configuration(processor, parts)
    except RuntimeError as error:
        raise StageError(
            f"the processor cannot be divided into {devices} devices: TensorFlow is at work in this process already.",
            "Run the recipe first in a new process, or with the command line.",
            code="no_devices",
        ) from error


def _of_workers(found: Layout) -> tf.distribute.Strategy:
    raise NotImplementedError
