"""Which devices a recipe gets, and what is said where there are none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tfopt.backend.devices import found
from tfopt.backend.devices.cluster import VARIABLE
from tfopt.backend.devices.found import WrongDevices, layout
from tfopt.core.config.training.distribution import Distribution

pytestmark = pytest.mark.tf


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Says how many GPUs and CPU devices there are."""

    def has(gpus: int = 0, cpus: int = 1, workers: int = 0) -> None:
        monkeypatch.setattr(found, "_gpus", lambda: gpus)
        monkeypatch.setattr(found, "_logical_cpus", lambda: cpus)
        listed = {"worker": [f"host{index}:1" for index in range(workers)]}
        config = {"cluster": listed, "task": {"type": "worker", "index": 0}}
        monkeypatch.setenv(VARIABLE, json.dumps(config) if workers else "")

    has()
    return has


def asked(strategy: Any, **keys: Any) -> Distribution:
    return Distribution(strategy=strategy, **keys)


def test_mirrored_takes_all_gpus_or_as_many_as_asked(machine: Any) -> None:
    machine(gpus=4)

    everything, some = layout(asked("mirrored")), layout(asked("mirrored", devices=2))

    assert everything is not None
    assert some is not None
    assert (everything.replicas, some.devices) == (4, ("GPU:0", "GPU:1"))


def test_auto_is_one_device_where_there_is_nothing_else(machine: Any) -> None:
    assert layout(asked("auto")) is None
    machine(gpus=1)
    assert layout(asked("auto")) is None
    machine(gpus=2)
    assert layout(asked("auto")).replicas == 2  # type: ignore[union-attr]
    machine(gpus=2, workers=3)
    assert layout(asked("auto")).replicas == 6  # type: ignore[union-attr]


def test_logical_devices_of_the_processor(machine: Any) -> None:
    machine(cpus=4)

    assert layout(asked("mirrored")).replicas == 4  # type: ignore[union-attr]
    assert layout(asked("mirrored", device="cpu", devices=2)).devices == ("CPU:0", "CPU:1")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("wanted", "said", "code"),
    [
        (asked("mirrored"), "0 GPUs and 1 CPU device here", "no_devices"),
        (asked("mirrored", device="gpu"), "nothing to train on side by side", "no_devices"),
        (asked("multi_worker"), "TF_CONFIG is not set", "no_devices"),
    ],
)
def test_a_strategy_without_devices(wanted: Distribution, said: str, code: str) -> None:
    with pytest.raises(WrongDevices, match=said) as caught:
        layout(wanted)

    assert caught.value.mistake.code == code


def test_workers_that_must_have_gpus_do_not_train_on_the_processor(machine: Any) -> None:
    machine(workers=2)

    with pytest.raises(WrongDevices, match="0 GPUs"):
        layout(asked("multi_worker", device="gpu"))


def test_more_devices_than_there_are(machine: Any) -> None:
    machine(gpus=2)

    with pytest.raises(WrongDevices, match="is 3, but TensorFlow finds 2 GPUs"):
        layout(asked("mirrored", devices=3))


def test_a_wrong_tf_config_is_a_mistake_of_distribute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "{")

    with pytest.raises(WrongDevices, match="is not JSON") as caught:
        layout(asked("auto"))

    assert caught.value.mistake.code == "wrong_tf_config"
