"""Sparsity that falls again, that a metric decides, and that all layers share, on a real small net."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.contexts import Log, context
from tests.support.digits import digits
from tests.support.models import same_weights, small_model
from tfopt.backend.graph.kernels import prunable_kernels
from tfopt.backend.stages import fit as training
from tfopt.backend.stages import prune as pruning
from tfopt.backend.training import loop as fitting
from tfopt.backend.training import steps as loop
from tfopt.stages.prune import Prune
from tfopt.stages.train import Train

pytestmark = pytest.mark.tf

KERNELS = ("conv1", "conv2", "hidden", "logits")
EPOCH = 10


@pytest.fixture(scope="module")
def dense(tmp_path_factory):
    """The weights of a net trained for three epochs."""
    model = small_model()
    training.train(model, Train(name="train", epochs=3), surroundings(tmp_path_factory.mktemp("dense")))
    return model.get_weights()


def surroundings(folder, emit=lambda event: None):
    return context(folder, emit, data=digits(640))


def start(dense):
    model = small_model()
    model.set_weights(dense)
    return model


def run(dense, folder, emit, epochs=6, **written):
    stage = Prune.model_validate({"name": "prune", "epochs": epochs, **written})
    result = stage.apply(start(dense), surroundings(folder, emit))
    return emit.reported(result) if isinstance(emit, Log) else result.model


def zeros(model, names=KERNELS):
    return {name: float(np.mean(prunable_kernels(model.get_layer(name))[0].numpy() == 0)) for name in names}


def overall(model):
    weights = [prunable_kernels(model.get_layer(name))[0].numpy() for name in KERNELS]
    return sum(np.count_nonzero(one == 0) for one in weights) / sum(one.size for one in weights)


def stepping(monkeypatch):
    """One step per call into TensorFlow, each with its sign of life."""
    monkeypatch.setattr(loop, "SIGN_OF_LIFE", 0.0)
    monkeypatch.setattr(fitting, "SECONDS_BETWEEN_SIGNS", 0.0)


def interrupted(dense, folder, *at_steps, **written):
    """Runs until after a step, is interrupted, and resumes; once for each step."""
    for at_step in at_steps:

        def interrupt(event, at_step=at_step):
            if event["event"] == "progress" and event["step"] == at_step:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(dense, folder, interrupt, **written)
    return run(dense, folder, lambda event: None, **written)


CYCLIC = {"schedule": {"kind": "cyclic", "final": "90%", "cycles": 1, "begin": "1 epoch", "end": "5 epochs"}}


def test_weights_grow_back_in_a_dense_phase(dense, tmp_path):
    stage = Prune.model_validate({"name": "prune", "epochs": 6, **CYCLIC})
    model, seen = start(dense), {}

    def look(event):
        if event["event"] == "epoch":
            seen[event["epoch"]] = (event["sparsity"], overall(model))

    stage.apply(model, surroundings(tmp_path, look))
    planned = {1: 0.9, 2: 0.9, 3: 0.0, 4: 0.0, 5: 0.9, 6: 0.9}
    for epoch, sparsity in planned.items():
        assert seen[epoch][0] == pytest.approx(sparsity, abs=0.01)
    assert seen[2][1] == pytest.approx(0.9, abs=0.01)
    # Weights really move again: those of dead ReLU units stay, for they get no gradient.
    assert seen[4][1] < 0.4
    assert overall(model) == pytest.approx(0.9, abs=0.01)


GLOBAL = {
    "schedule": {"kind": "linear", "final": "80%", "begin": "5 steps", "end": "45 steps", "every": "8 steps"},
    "allocation": {"kind": "global", "floor": "20%", "ceiling": "90%"},
}


@pytest.fixture(scope="module")
def shared_out(dense, tmp_path_factory):
    log = Log()
    return run(dense, tmp_path_factory.mktemp("global"), log, **GLOBAL), log


def test_one_threshold_gives_the_planned_sparsity_overall_and_its_own_to_each_layer(shared_out):
    model, log = shared_out
    found = zeros(model)
    assert overall(model) == pytest.approx(0.8, abs=0.002)
    assert max(found.values()) - min(found.values()) > 0.1
    assert all(0.2 - 0.01 <= share <= 0.9 + 0.01 for share in found.values())
    for entry in log.of("epoch"):
        assert entry["sparsity"] == pytest.approx(entry["planned_sparsity"], abs=0.005)


def test_what_each_layer_got_is_reported(shared_out):
    model, log = shared_out
    (decided,) = [event["decided"] for event in log.of("details") if "decided" in event]
    assert decided[0]["layers"] == pytest.approx(zeros(model), abs=0.01)


def test_one_threshold_is_the_same_step_by_step_and_after_an_interruption(dense, shared_out, tmp_path, monkeypatch):
    stepping(monkeypatch)
    assert same_weights(interrupted(dense, tmp_path, 20, **GLOBAL), shared_out[0])


def test_a_layer_with_its_own_schedule_takes_no_part(dense, tmp_path):
    own = {"match": "logits", "schedule": {"kind": "one_shot", "final": "50%"}}
    model = run(dense, tmp_path, lambda event: None, epochs=5, **GLOBAL, layers=[own])
    assert zeros(model)["logits"] == pytest.approx(0.5, abs=0.01)
    weights = [prunable_kernels(model.get_layer(name))[0].numpy() for name in KERNELS[:-1]]
    share = sum(np.count_nonzero(one == 0) for one in weights) / sum(one.size for one in weights)
    assert share == pytest.approx(0.8, abs=0.002)


def metric(**written):
    return {
        "schedule": {
            "kind": "metric", "final": "80%", "rungs": 3, "monitor": "val_accuracy", "end": "5 epochs", **written,
        }
    }  # fmt: skip


def test_a_good_model_rises_every_epoch_as_planned(dense, tmp_path):
    log = Log()
    model = run(dense, tmp_path, log, **metric(tolerance="90%"))
    entries = log.of("epoch")
    assert [entry["sparsity"] for entry in entries[1:]] == pytest.approx(
        [entry["planned_sparsity"] for entry in entries[1:]], abs=0.005
    )
    assert overall(model) == pytest.approx(0.8, abs=0.005)
    assert log.of("warning") == []


HARD = metric(tolerance="0%", final="99%", rungs=3)


@pytest.fixture(scope="module")
def stuck(dense, tmp_path_factory):
    log = Log()
    return run(dense, tmp_path_factory.mktemp("stuck"), log, **HARD), log


def test_a_model_that_gets_worse_stays_where_it_is_and_says_so(stuck):
    model, log = stuck
    (decided,) = [event["decided"][0] for event in log.of("details") if "decided" in event]
    assert decided["rung"] < 3
    assert overall(model) == pytest.approx(decided["sparsity"], abs=0.005)
    (warning,) = [event["message"] for event in log.of("warning")]
    assert "instead of 99.0%: val_accuracy was not within 0.0% of its best" in warning


def test_a_rise_survives_interruptions(dense, stuck, tmp_path, monkeypatch):
    stepping(monkeypatch)
    assert same_weights(interrupted(dense, tmp_path, EPOCH, 2 * EPOCH + 1, **HARD), stuck[0])


def test_pruning_checks_what_was_decided(dense):
    model = start(dense)
    plan = Prune.model_validate({"name": "prune", "epochs": 6, **GLOBAL})
    plans = pruning.layer_plans(model, plan, 60, EPOCH)
    with pytest.raises(pruning.StageError, match=r"hidden: 0.0% instead of 70.0%"):
        pruning.prove(model, {"hidden": plans["hidden"]}, {"hidden": 0.7})
