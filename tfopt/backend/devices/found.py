"""The devices of this machine, and what is wrong with what a recipe asks for. Nothing is initialized here."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tfopt.backend.devices.cluster import VARIABLE, WrongCluster, cluster
from tfopt.core.config.training.distribution import Distribution
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.wording import counted


class WrongDevices(Exception):
    """What a recipe asks for is not there.

    Args:
        mistake: the path begins below `distribute`.
    """

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.message)
        self.mistake = mistake


@dataclass(frozen=True)
class Layout:
    """Over what training is spread.

    Args:
        devices: of this machine, as TensorFlow names them (`GPU:0`); those of the other machines are like them.
        workers: processes that train together; 0 where there is no TF_CONFIG.
    """

    devices: tuple[str, ...]
    workers: int = 0

    @property
    def by_workers(self) -> bool:
        """Whether processes of TF_CONFIG train together, even if it lists a single one."""
        return self.workers > 0

    @property
    def replicas(self) -> int:
        """Parts into which each batch is divided."""
        return len(self.devices) * max(1, self.workers)


def layout(asked: Distribution) -> Layout | None:
    """What a recipe will train on here; None for one device, as without `distribute`.

    Raises:
        WrongDevices: there are no such devices, or TF_CONFIG is wrong.
    """
    if asked.strategy == "auto":
        return _automatic()
    if asked.strategy == "mirrored":
        return Layout(_devices(asked))
    workers = _workers()
    if not workers:
        raise WrongDevices(
            Mistake(
                ("strategy",),
                f"is multi_worker, but the environment variable {VARIABLE} is not set: start the same command on every "
                f"machine with {VARIABLE} set to the addresses of all workers and its own index (docs/devices.md)",
                code="no_devices",
            )
        )
    if asked.device == "cpu" or (asked.device is None and not _gpus()):
        if (asked.devices or 1) > 1:
            text = f"is {asked.devices}, but a worker without GPUs trains on one CPU device: start more workers"
            raise WrongDevices(Mistake(("devices",), text, code="no_devices"))
        return Layout(("CPU:0",), workers)
    return Layout(_devices(asked), workers)


def _automatic() -> Layout | None:
    workers, gpus = _workers(), tuple(f"GPU:{index}" for index in range(_gpus()))
    if workers > 1:
        return Layout(gpus or ("CPU:0",), workers)
    return Layout(gpus) if len(gpus) > 1 else None


def _workers() -> int:
    try:
        found = cluster()
    except WrongCluster as error:
        text = f"needs the workers of {VARIABLE}, but {VARIABLE} {error}"
        raise WrongDevices(Mistake((), text, code="wrong_tf_config")) from error
    return 0 if found is None else len(found.workers)


def _devices(asked: Distribution) -> tuple[str, ...]:
    """The devices of this machine that are asked for."""
    gpus, cpus = _gpus(), _logical_cpus()
    if asked.device == "cpu":
        return tuple(f"CPU:{index}" for index in range(asked.devices or cpus))
    here = f"TensorFlow finds {counted(gpus, 'GPU')} and {counted(cpus, 'CPU device')} here"
    kind, found = ("GPU", gpus) if gpus or asked.device == "gpu" or cpus < 2 else ("CPU", cpus)
    if not found:
        text = (
            f"is {asked.strategy}, but there is nothing to train on side by side: {here}. Leave distribute out, write "
            "auto, or, to try it on the processor, {strategy: mirrored, device: cpu, devices: 2}"
        )
        raise WrongDevices(Mistake(("strategy",), text, code="no_devices"))
    if asked.devices is not None and asked.devices > found:
        text = f"is {asked.devices}, but {here}"
        raise WrongDevices(Mistake(("devices",), text, code="no_devices"))
    return tuple(f"{kind}:{index}" for index in range(asked.devices or found))


def _gpus() -> int:
    return len(tf.config.get_visible_devices("GPU"))


def _logical_cpus() -> int:
    """CPU devices: one, unless the program that uses tfopt has divided the processor."""
    (processor,) = tf.config.list_physical_devices("CPU")
    return len(tf.config.get_logical_device_configuration(processor) or (None,))
