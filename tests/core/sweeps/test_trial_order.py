"""No stage is built twice at the same time."""

from __future__ import annotations

from tfopt.core.sweeps.trial_order import next_trial

CHAINS = {"a": ["base", "a1"], "b": ["base", "b1"], "c": ["other", "c1"], "d": []}


def test_trials_that_share_an_unbuilt_stage_wait_for_each_other() -> None:
    assert next_trial(["a", "b", "c"], [], [], CHAINS) == "a"
    assert next_trial(["b", "c"], ["a"], [], CHAINS) == "c"
    assert next_trial(["b"], ["a", "c"], [], CHAINS) is None


def test_they_go_on_as_soon_as_it_is_built() -> None:
    assert next_trial(["b"], ["a", "c"], ["base"], CHAINS) == "b"


def test_a_failed_builder_is_replaced() -> None:
    assert next_trial(["b"], ["c"], [], CHAINS) == "b"


def test_a_trial_without_stages_never_waits() -> None:
    assert next_trial(["d"], ["a", "c"], [], CHAINS) == "d"
