"""Trials on a real Ray, started here."""

from __future__ import annotations

import builtins
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import tfopt
from tests.support.root import REPOSITORY
from tfopt.core.sweeps.expand import Expansion, expand
from tfopt.engine.sweep import execute_sweep
from tfopt.errors import EnvironmentProblem
from tfopt.executors.ray import RayExecutor
from tfopt.io.runs.sweeps import sweep_folder

FAKE = "tests.support.stand_ins.sweep_fakes:run"


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """A Ray of this machine for all tests of this file; its start takes seconds."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'tfopt[ray]'")
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    yield ray
    ray.shutdown()


def swept(*axes: dict[str, Any], seeds: int = 1) -> Expansion:
    recipe = tfopt.load(REPOSITORY / "recipes" / "digits_prune_qat.yaml")
    return expand(recipe.with_overrides({"sweep": {"axes": list(axes), "seeds": seeds}}))


def test_a_sweep_on_ray_shares_the_store_reports_failures_and_stops_the_hopeless(ray: Any, tmp_path: Path) -> None:
    expansion = swept({"description": ["a", "fail", "b", "die", "c", "endless"]})
    folder = sweep_folder(tmp_path, expansion.recipe.name, expansion.key)
    events: list[Mapping[str, Any]] = []
    executor = RayExecutor(1, 6)
    url = (tmp_path / "shared").as_uri()
    sweep = execute_sweep(expansion, executor, folder, FAKE, store=url, stop_trials=True, on_event=events.append)
    assert [trial.state for trial in sweep.record.trials] == ["done", "failed", "done", "failed", "done", "stopped"]
    assert "nothing is left" in str(sweep.record.trials[1].error)
    assert "Ray task crashed" in str(sweep.record.trials[3].error)
    assert [trial.name for trial in sweep.record.trials if trial.repeated] == [sweep.record.trials[3].name]
    built = (tmp_path / "built.log").read_text().splitlines()
    assert sum(line.startswith("train") for line in built) == 1
    assert (tmp_path / "stores.log").read_text().splitlines() == [url] * 7
    assert ray.is_initialized()


def test_without_ray_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    importing = builtins.__import__

    def without_ray(name: str, *arguments: Any, **keywords: Any) -> Any:
        if name.split(".")[0] == "ray":
            raise ImportError("No module named 'ray'")
        return importing(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without_ray)
    with pytest.raises(EnvironmentProblem, match=r"pip install 'tfopt\[ray\]'"):
        RayExecutor(1, 1)
