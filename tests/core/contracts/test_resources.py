"""What trials ask of a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfopt.core.contracts.resources import Resources
from tfopt.errors import UsageError
from tfopt.executors.start import start_executor


@pytest.mark.parametrize(
    ("resources", "cpus", "gpus", "expected"),
    [
        (Resources(), 8, 0, 8),
        (Resources(cpus=3), 8, 0, 2),
        (Resources(cpus=2, gpus=1), 8, 2, 2),
        (Resources(cpus=2, gpus=1), 2, 2, 1),
        (Resources(gpus=0.5), 8, 2, 4),
        (Resources(gpus=0.4), 8, 2, 4),
        (Resources(gpus=2), 8, 3, 1),
        (Resources(gpus=1), 8, 0, 0),
    ],
)
def test_a_node_holds_what_its_processors_and_gpus_allow(
    resources: Resources, cpus: int, gpus: int, expected: int
) -> None:
    assert resources.trials_on(cpus, gpus) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cpus": 0}, "at least one processor"),
        ({"gpus": -1.0}, "a whole number, or a fraction of one. Got -1"),
        ({"gpus": 1.5}, "Got 1.5"),
        ({"gpus": float("nan")}, "Got nan"),
        ({"gpus": 1e-5}, "Got 1e-05"),
        ({"retries": -1}, "cannot be negative"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Resources(**arguments)  # type: ignore[arg-type]


def test_resources_without_a_cluster_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="are for a cluster"):
        start_executor("local", 1, 1, tmp_path, Resources(retries=3))
