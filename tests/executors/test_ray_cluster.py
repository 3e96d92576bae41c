"""A sweep and a run on a Ray cluster of two nodes of this machine, one of which is killed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import tfopt
from tests.support.root import REPOSITORY
from tfopt.core.contracts.resources import Resources
from tfopt.core.sweeps.expand import expand
from tfopt.engine.on_cluster import execute_on_cluster
from tfopt.engine.sweep import execute_sweep
from tfopt.errors import StageError
from tfopt.executors.ray import RayExecutor
from tfopt.io.runs.sweeps import sweep_folder

FAKE = "tests.support.stand_ins.cluster_runs:run"

pytestmark = pytest.mark.slow
"""Two nodes take most of a minute to start; `tests/engine/test_sweep.py` has the decisions without them."""


@dataclass
class TwoNodes:
    """A cluster, and the node that tests may kill: it is started once it is asked for."""

    cluster: Any
    victim: Any

    def kill(self) -> None:
        """Kills the node with all of its processes."""
        self.cluster.remove_node(self.victim, allow_graceful=False)


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[TwoNodes]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'tfopt[ray]'")
    utils = pytest.importorskip("ray.cluster_utils")
    cluster = utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        victim = cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
        yield TwoNodes(cluster, victim)
    finally:
        ray.shutdown()
        cluster.shutdown()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the pipes of the node that is killed
def test_a_lost_node_costs_an_epoch_and_nothing_is_trained_twice(two_nodes: TwoNodes, tmp_path: Path) -> None:
    recipe = tfopt.load(REPOSITORY / "recipes" / "digits_prune_qat.yaml")
    expansion = expand(
        recipe.with_overrides({"sweep": {"axes": [{"stages.prune.schedule.final": ["50%", "60%", "70%"]}]}})
    )
    folder = sweep_folder(tmp_path, recipe.name, expansion.key)
    executor = RayExecutor(None, 3, Resources(cpus=1, placement="spread"))
    events: list[Mapping[str, Any]] = []

    def on_event(event: Mapping[str, Any]) -> None:
        events.append(event)
        killed = any(entry["event"] == "trial_repeated" for entry in events)
        if event["event"] == "epoch" and not killed and executor.nodes.get(event["trial"]) == two_nodes.victim.node_id:
            two_nodes.kill()

    sweep = execute_sweep(expansion, executor, folder, FAKE, on_event=on_event)
    assert [trial.state for trial in sweep.record.trials] == ["done"] * 3
    lost = [trial for trial in sweep.record.trials if trial.lost_nodes]
    assert len(lost) == 1
    assert "started again on another node 1 time" in str(lost[0].repetition)
    repeated = [event for event in events if event["event"] == "trial_repeated"]
    assert [event["code"] for event in repeated] == ["node_lost"]
    built = Counter(line.split()[0] for line in (tmp_path / "built.log").read_text().splitlines())
    assert set(built.values()) == {1}
    for checkpoint in (tmp_path / ".store").glob("*.epochs"):
        assert checkpoint.read_text().split() == list("012345")

    on_the_rest = execute_on_cluster(recipe, RayExecutor(1, 1), tmp_path, FAKE, on_event=events.append)
    assert on_the_rest.report.run.state == "done"

    with pytest.raises(StageError, match=r"No node .* has the 1 processor and 0.5 of a GPU that each trial asks for"):
        RayExecutor(None, 3, Resources(cpus=1, gpus=0.5))
