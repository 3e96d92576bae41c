"""S9: what is saved is not what was pruned."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras

from tests.silent_failures import naive_pruning as naive
from tests.support.contexts import Log, context
from tests.support.digits import digits
from tests.support.models import small_model
from tfopt.backend.stages import prune as pruning
from tfopt.backend.training.resume import checkpoint
from tfopt.core.recipe.stage_order import order_problems
from tfopt.stages.prune import Prune
from tfopt.stages.train import Train

pytestmark = pytest.mark.tf

SCHEDULE = {"kind": "polynomial", "final": 0.8, "begin": "0%", "end": "100%", "every": "2 steps"}


def ramp(steps):
    return naive.sparsity.PolynomialDecay(0.0, 0.8, 0, steps, frequency=2)


@pytest.mark.slow
def test_naively_a_checkpoint_before_the_callback_is_dense(tmp_path):
    save = tf_keras.callbacks.ModelCheckpoint(str(tmp_path / "w.h5"), save_weights_only=True)
    model = naive.wrap(small_model(), ramp(10))

    naive.fit(model, 2, [save, naive.sparsity.UpdatePruningStep()])

    at_the_end = naive.zeros(naive.named(model, "hidden"))
    model.load_weights(str(tmp_path / "w.h5"))
    assert at_the_end == pytest.approx(0.8, abs=0.01)
    assert naive.zeros(naive.named(model, "hidden")) < 0.1


@pytest.mark.slow
def test_naively_the_best_weights_are_half_pruned(tmp_path):
    """Nothing is learned, so the less is pruned, the better."""
    best = tf_keras.callbacks.ModelCheckpoint(
        str(tmp_path / "w.h5"), save_weights_only=True, save_best_only=True, monitor="loss"
    )
    model = naive.wrap(trained(), ramp(40))
    model.compile(tf_keras.optimizers.SGD(1e-9), "sparse_categorical_crossentropy")

    naive.fit(model, 4, [naive.sparsity.UpdatePruningStep(), best])

    model.load_weights(str(tmp_path / "w.h5"))
    assert naive.zeros(naive.named(model, "hidden")) < 0.6


@pytest.mark.slow
def test_naively_fine_tuning_after_stripping_makes_dense():
    model = naive.sparsity.strip_pruning(naive.fit(naive.wrap(small_model(), ramp(10)), 1))
    model.compile("adam", "sparse_categorical_crossentropy")

    naive.fit(model, 1, [])

    assert naive.zeros(model.get_layer("hidden")) < 0.3


def trained():
    model = small_model()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return naive.fit(model, 4, [])


def test_here_every_checkpoint_is_as_sparse_as_planned(tmp_path):
    stage = Prune.model_validate({"epochs": 2, "schedule": SCHEDULE})
    seen = []

    def look(event):
        # The checkpoint of the first epoch is there when the second one shows itself.
        saved = checkpoint.read(tmp_path / "work") if event["event"] == "progress" and event["epoch"] == 2 else None
        if saved is not None:
            seen.append([array for array in saved.groups["weights"] if array.shape == (64, 32)])

    pruning.prune(small_model(), stage, stage, context(tmp_path, look, data=digits(640)))

    last = checkpoint.read(tmp_path / "work")
    planned = [entry["planned_sparsity"] for entry in last.state["history"]]
    kernel, mask = seen[0]
    assert np.mean(kernel == 0) == np.mean(mask == 0) == pytest.approx(planned[0], abs=0.002)
    kernel = next(array for array in last.groups["weights"] if array.shape == (64, 32))
    assert np.mean(kernel == 0) == pytest.approx(0.8, abs=0.002)


def test_here_the_best_weights_are_fully_pruned(tmp_path):
    log = Log()
    stage = Prune.model_validate(
        {
            "epochs": 5,
            "schedule": {**SCHEDULE, "end": "4 epochs"},
            "learning_rate": 1e-9,
            "early_stopping": {"monitor": "loss", "patience": 1},
        }
    )

    model = log.reported(pruning.prune(trained(), stage, stage, context(tmp_path, log, data=digits(640))))

    assert log.of("details")[-1]["early_stopping"]["best_epoch"] >= 4
    assert naive.zeros(model.get_layer("hidden")) == pytest.approx(0.8, abs=0.005)


def test_here_training_after_pruning_is_refused():
    (_, mistake), *_ = order_problems([("prune", Prune), ("train", Train)])
    assert mistake.code == "sparsity_lost"
