"""The strategy that a recipe is trained with."""

from __future__ import annotations

import math
import os
import socket
from functools import cache

import tensorflow as tf

from tfopt.backend.compat import tensorflow_cluster
from tfopt.backend.devices import workers
from tfopt.backend.devices.cluster import Cluster, cluster
from tfopt.backend.devices.found import Layout, layout
from tfopt.core.config.training.distribution import Distribution
from tfopt.errors import StageError

WAIT_VARIABLE = "TFOPT_WORKERS_TIMEOUT"
"""Environment variable: seconds in which all workers must have come."""
_HEARTBEAT = 20.0
"""Seconds without a sign of a worker after which it counts as gone."""


def start(asked: Distribution) -> None:
    """Does what TensorFlow wants done before anything else: divides the processor, or connects the workers.

    Raises:
        WrongDevices: there are no such devices, or TF_CONFIG is wrong.
        StageError: TensorFlow is at work in this process already, or the workers do not find each other.
    """
    found = layout(asked)
    if found is None:
        return
    if found.by_workers:
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
    known = cluster() if found.by_workers else None
    if known is not None:
        return _of_workers(found, known)
    if found.devices[0].startswith("CPU"):
        # TensorFlow's collectives allow one number of devices in a process: a notebook may try several.
        return tf.distribute.MirroredStrategy(list(found.devices), tf.distribute.ReductionToOneDevice())
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


def _of_workers(found: Layout, known: Cluster) -> tf.distribute.Strategy:
    """Connects this process with the others of TF_CONFIG.

    Raises:
        StageError: TensorFlow is at work in this process already, the port is taken, or others do not come.
    """
    if tensorflow_cluster.started():
        raise StageError(
            "multi_worker must connect the workers before TensorFlow does anything else, but it is at work in this "
            "process already.",
            "Run the recipe first in a new process, or with the command line.",
            code="no_devices",
        )
    _check_port(known.own)
    jobs = {job: len(listed) for job, listed in known.jobs.items()}
    leader = f"/job:{next(iter(jobs))}/replica:0/task:0"
    tensorflow_cluster.configure(jobs, leader, wait=seconds_to_wait(), heartbeat=_HEARTBEAT, shutdown=_HEARTBEAT)
    if found.devices[0].startswith("GPU"):
        gpus = tf.config.list_physical_devices("GPU")
        tf.config.set_visible_devices(gpus[: len(found.devices)], "GPU")
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    except tf.errors.OpError as error:
        others = ", ".join(address for address in known.workers if address != known.own)
        raise StageError(
            f"worker {known.index} of {len(known.workers)} waited {seconds_to_wait():.0f} s for the others ({others}), "
            "and not all came.",
            "Start the same command on every machine of TF_CONFIG; check addresses, ports and firewalls. "
            f"{WAIT_VARIABLE} sets how many seconds to wait.",
            code="worker_lost",
        ) from error
    workers.join(workers.Team(known.index, len(known.workers)))
    return strategy


def seconds_to_wait() -> float:
    """How long a worker waits for the others at the start.

    Raises:
        StageError: the environment variable is no number.
    """
    text = os.environ.get(WAIT_VARIABLE, "300")
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise StageError(f"{WAIT_VARIABLE} is {text!r}; expected a number of seconds above 0.", code="invalid_value")
    return seconds


def _check_port(address: str) -> None:
    port = int(address.rpartition(":")[2])
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as error:
            raise StageError(
                f"this worker is {address} in TF_CONFIG, but port {port} of this machine cannot be used: "
                f"{error.strerror}.",
                "Choose a free port, and write it into TF_CONFIG of every worker.",
                code="wrong_tf_config",
            ) from error
