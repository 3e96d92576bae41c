from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

from tests.support.children.processes import kill_stage
from tests.support.contexts import Log, context
from tests.support.digits import digits
from tests.support.models import same_weights, small_model
from tfopt.backend.stages import fit as training
from tfopt.backend.stages import prune as pruning
from tfopt.backend.training import loop as fitting
from tfopt.backend.training import steps as loop
from tfopt.backend.training.resume import checkpoint
from tfopt.core.config.data import Augment
from tfopt.core.config.training.compile import Compile
from tfopt.errors import StageError
from tfopt.stages.prune import Prune
from tfopt.stages.train import Train

pytestmark = pytest.mark.tf

STAGE = Prune.model_validate(
    {
        "name": "prune",
        "epochs": 6,
        "schedule": {"kind": "polynomial", "final": "80%", "begin": "3 steps", "end": "70%", "every": "5 steps"},
        "layers": [
            {"match": "conv2", "sparsity_m_by_n": [2, 4]},
            {
                "match": "logits",
                "schedule": {"kind": "constant", "final": "50%", "begin": "2 epochs", "end": "4 epochs"},
            },
        ],
        "learning_rate": {"kind": "plateau", "initial": 0.01, "patience": 1, "monitor": "loss"},
        "early_stopping": {"monitor": "val_loss", "patience": 3},
        "class_weights": "balanced",
    }
)
"""Everything at once: dropout, augmentation, three kinds of schedule, plateau and early stopping."""


def run_killed(folder: Path, react: Any = lambda event: None) -> tf_keras.Model:
    """Runs the stage in a folder."""
    model = small_model(dropout=0.3)
    run_context = context(folder, react, data=digits(640), augment=Augment(shift=0.1))
    return pruning.prune(model, STAGE, STAGE, run_context).model


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The stage, run in one piece."""
    log = Log()
    return run_killed(tmp_path_factory.mktemp("whole"), log), log


def without_seconds(entries):
    return [{key: value for key, value in entry.items() if key != "seconds"} for entry in entries]


def test_a_stage_killed_twice_ends_with_the_same_weights(uninterrupted, tmp_path):
    for moment in ("progress 3", "saving"):
        kill_stage(f"{__name__}:run_killed", tmp_path, moment)
    finished = len(checkpoint.read(tmp_path / "work").state["history"])
    log = Log()

    model = run_killed(tmp_path, log)

    whole, whole_log = uninterrupted
    assert finished == 2, "the second process died while it saved the third epoch"
    assert same_weights(model, whole)
    assert without_seconds(log.of("epoch")) == without_seconds(whole_log.of("epoch"))
    assert log.of("warning") == []


def test_ctrl_c_saves_the_step_and_goes_on_from_there(uninterrupted, tmp_path, monkeypatch):
    """Steps one by one, interrupted after the 25th of 60: in the midst of the third epoch."""
    monkeypatch.setattr(loop, "SIGN_OF_LIFE", 0.0)
    monkeypatch.setattr(fitting, "SECONDS_BETWEEN_SIGNS", 0.0)

    def interrupt(event):
        if event["event"] == "progress" and event["step"] == 25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_killed(tmp_path, interrupt)
    finished = len(checkpoint.read(tmp_path / "work").state["history"])
    log = Log()

    model = run_killed(tmp_path, log)

    assert finished == 2
    assert log.of("progress")[0]["step"] == 26
    assert same_weights(model, uninterrupted[0])
    assert without_seconds(log.of("epoch")) == without_seconds(uninterrupted[1].of("epoch"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Two epochs of training, and the folder with their checkpoint."""
    folder = tmp_path_factory.mktemp("finished")
    return training.train(small_model(), Train(epochs=2), context(folder, data=digits(256))).model, folder


def test_a_finished_stage_is_not_trained_again(finished):
    first, folder = finished
    log = Log()

    again = training.train(small_model(seed=1), Train(epochs=2), context(folder, log, data=digits(256))).model

    assert log.of("progress") == []
    assert same_weights(first, again)


# Nadam keeps all that the others keep, and a product of momentums.
@pytest.mark.parametrize(
    "name", ["nadam", pytest.param("adam", marks=pytest.mark.slow), pytest.param("sgd", marks=pytest.mark.slow)]
)
def test_what_an_optimizer_keeps_beside_its_variables_goes_on_too(tmp_path, name):
    """A rate that a plateau has lowered, and Nadam's momentum product, are not among tf_keras' optimizer variables."""
    plateau = {"kind": "plateau", "initial": 1e-3, "monitor": "accuracy", "patience": 1, "factor": 0.5}
    stage = Train.model_validate({"epochs": 4, "learning_rate": plateau})
    compile = Compile.model_validate({"optimizer": name})

    def interrupt(event):
        if event["event"] == "epoch" and event["epoch"] == 3:
            raise KeyboardInterrupt

    def run(folder, emit):
        # With a threshold that nothing reaches, every epoch counts as one without improvement.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fitting, "PLATEAU_MIN_DELTA", 10.0)
            return training.train(small_model(), stage, context(folder, emit, data=digits(256), compile=compile)).model

    whole_log, log = Log(), Log()
    whole = run(tmp_path / "whole", whole_log)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", interrupt)

    model = run(tmp_path / "stopped", log)

    assert whole_log.of("epoch")[-1]["learning_rate"] < 1e-3
    assert without_seconds(log.of("epoch")) == without_seconds(whole_log.of("epoch"))
    assert same_weights(model, whole)


@pytest.mark.parametrize("damage", ["cut off", "empty", "flipped"])
def test_damage_is_found(finished, tmp_path, damage):
    content = (finished[1] / "work" / checkpoint.FILE).read_bytes()
    (tmp_path / checkpoint.FILE).write_bytes(damaged(content, damage))
    with pytest.raises(checkpoint.DamagedCheckpoint, match="cannot be read"):
        checkpoint.read(tmp_path)


def damaged(content, damage):
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 255
    return {"cut off": content[:-500], "empty": b"", "flipped": bytes(flipped)}.get(damage, content)


@pytest.mark.parametrize("damage", ["flipped", "of another stage"])
def test_a_damaged_checkpoint_is_a_warning_and_a_new_start(finished, tmp_path, damage):
    whole, folder = finished
    content = (folder / "work" / checkpoint.FILE).read_bytes()
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / checkpoint.FILE).write_bytes(damaged(content, damage))
    log = Log()
    epochs = 1 if damage == "of another stage" else 2

    model = training.train(small_model(), Train(epochs=epochs), context(tmp_path, log, data=digits(256))).model

    message = log.of("warning")[0]["message"]
    assert ("belongs to another stage" if epochs == 1 else "cannot be read") in message
    assert "starts again" in message
    assert [entry["epoch"] for entry in log.of("epoch")] == list(range(1, epochs + 1))
    assert epochs == 1 or same_weights(model, whole)


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    def full(*arguments, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)

    with pytest.raises(StageError, match="cannot be written: No space left on device"):
        training.train(small_model(), Train(epochs=1), context(tmp_path, data=digits(256)))


def test_early_stopping_of_pruning_counts_from_the_final_sparsity_on(tmp_path):
    """With a rate of nearly zero nothing improves: the stage ends two epochs after the first one that counts."""
    log = Log()
    stage = Prune.model_validate(
        {
            "name": "prune",
            "epochs": 10,
            "learning_rate": 1e-9,
            "schedule": {"kind": "polynomial", "final": "80%", "end": "5 epochs", "every": "1 steps"},
            "early_stopping": {"patience": 2},
        }
    )

    model = log.reported(pruning.prune(small_model(), stage, stage, context(tmp_path, log, data=digits(256))))

    told = log.of("details")[-1]["early_stopping"]
    assert told["best_epoch"] >= 5
    assert told["stopped_after"] >= 7
    assert pruning.sparsity(model) == pytest.approx(0.8, abs=0.005)
