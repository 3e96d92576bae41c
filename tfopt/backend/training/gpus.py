"""The GPUs that TensorFlow trains on."""

from __future__ import annotations

from functools import cache

import tensorflow as tf


@cache
def gpus() -> list[str]:
    """Their names, as the driver calls them, in TensorFlow's order; empty where there is none."""
    found = tf.config.list_physical_devices("GPU")
    return [str(tf.config.experimental.get_device_details(one).get("device_name", one.name)) for one in found]
