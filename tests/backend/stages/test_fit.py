from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tf_keras

from tests.support.contexts import Log, context
from tests.support.digits import digits
from tests.support.models import same_weights, small_model
from tfopt.backend.data.load import class_weights
from tfopt.backend.data.splits import Split
from tfopt.backend.stages import fit as training
from tfopt.backend.training.evaluate import evaluate, predict
from tfopt.core.config.data import Augment
from tfopt.core.config.training.compile import Compile, Loss, Metric, Optimizer
from tfopt.core.config.training.learning_rate import PlateauRate
from tfopt.core.contracts.stage import EarlyStopping
from tfopt.errors import EnvironmentProblem, StageError
from tfopt.stages.train import Train

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model after eight epochs, and the events of its training."""
    log = Log()
    model = training.train(
        small_model(), Train(name="train", epochs=8), context(tmp_path_factory.mktemp("run"), log)
    ).model
    return model, log


def test_training_learns_and_is_judged_on_the_split_it_is_given(trained):
    model, _ = trained

    measures = evaluate(model, digits().test, Compile())

    assert set(measures) == {"loss", "accuracy"}
    assert measures["accuracy"] > 0.65
    predicted = predict(model, digits().test)
    assert predicted.shape == (397, 10)
    assert np.mean(predicted.argmax(axis=1) == digits().test.targets) == pytest.approx(measures["accuracy"])


def test_events_of_a_stage(trained):
    _, log = trained

    epochs = log.of("epoch")
    assert [entry["epoch"] for entry in epochs] == list(range(1, 9))
    assert [entry["step"] for entry in epochs] == [19 * epoch for epoch in range(1, 9)]
    assert set(epochs[0]) - {"event", "stage"} == {
        "epoch", "step", "seconds", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate",
    }  # fmt: skip
    assert all(
        isinstance(value, int | float)
        for entry in epochs
        for key, value in entry.items()
        if key not in ("event", "stage")
    )
    last = log.of("progress")[-1]
    assert (last["stage"], last["step"], last["steps"], last["epoch"], last["epochs"]) == ("train", 152, 152, 8, 8)
    assert set(last["metrics"]) == {"loss", "accuracy"}


def test_the_training_figures_are_those_of_keras(trained):
    """One epoch by our loop equals one epoch by `fit` over the same batches."""
    theirs = small_model()
    theirs.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    batches = training.training_batches(digits(), 64, 8, 3)
    history = theirs.fit(batches, steps_per_epoch=19, epochs=1, verbose=0).history

    entry = trained[1].of("epoch")[0]

    assert entry["loss"] == pytest.approx(history["loss"][0], rel=1e-4)
    assert entry["accuracy"] == pytest.approx(history["accuracy"][0], rel=1e-4)


def test_the_same_stage_twice_gives_the_same_weights(tmp_path):
    models = [
        training.train(
            small_model(dropout=0.3), Train(epochs=2), context(tmp_path / str(turn), augment=Augment(shift=0.1))
        ).model
        for turn in range(2)
    ]

    assert same_weights(*models)


def test_training_leaves_random_layers_as_they_were(tmp_path):
    model = small_model(dropout=0.3)
    config = model.get_layer("dropout").get_config()

    training.train(model, Train(epochs=1), context(tmp_path))

    assert model.get_layer("dropout").get_config() == config
    assert not np.allclose(model(digits().test.inputs[:50], training=True), model(digits().test.inputs[:50]))


def test_early_stopping_goes_back_to_the_best_epoch(tmp_path):
    # A rate that is far too high after a good start: validation gets worse.
    log = Log()
    stage = Train(
        name="train",
        epochs=30,
        learning_rate=0.02,
        early_stopping=EarlyStopping(monitor="val_accuracy", patience=2),
    )

    model = log.reported(training.train(small_model(), stage, context(tmp_path, log)))

    epochs = log.of("epoch")
    best = max(entry["val_accuracy"] for entry in epochs)
    told = log.of("details")[-1]["early_stopping"]
    assert len(epochs) < 30
    assert told == {"stopped_after": len(epochs), "best_epoch": len(epochs) - 2, "restored": True}
    measured = evaluate(model, digits().validation, Compile())["accuracy"]
    assert measured == pytest.approx(best)


def test_plateau_lowers_the_rate(tmp_path):
    log = Log()
    rate = PlateauRate(kind="plateau", initial=1e-9, factor=0.5, patience=2, final=3e-10, monitor="loss")

    training.train(small_model(), Train(epochs=6, learning_rate=rate), context(tmp_path, log, data=digits(64)))

    rates = [entry["learning_rate"] for entry in log.of("epoch")]
    assert rates == pytest.approx([1e-9, 1e-9, 1e-9, 5e-10, 5e-10, 3e-10])


def test_unknown_monitor_is_refused_before_the_second_epoch(tmp_path):
    log = Log()
    stage = Train(epochs=5, early_stopping=EarlyStopping(monitor="val_acuracy"))

    with pytest.raises(StageError, match=r"early_stopping.monitor names 'val_acuracy'.*loss, accuracy, val_loss"):
        training.train(small_model(), stage, context(tmp_path, log, data=digits(64)))

    assert log.of("epoch") == []


def test_class_weights_reach_the_loss(tmp_path):
    """A class of weight zero is never learned."""
    stage = Train(epochs=4, class_weights={3: 0.0})

    model = training.train(small_model(), stage, context(tmp_path)).model

    answers = predict(model, digits().test).argmax(axis=1)
    assert np.mean(answers == 3) < 0.02
    assert class_weights(digits().train.targets, "balanced") is not None


def test_mixup_trains_on_mixtures_and_is_judged_on_plain_labels(tmp_path):
    log = Log()
    stage = Train(epochs=8, class_weights="balanced")

    model = training.train(small_model(), stage, context(tmp_path, log, augment=Augment(mixup=0.2))).model

    assert evaluate(model, digits().test, Compile())["accuracy"] > 0.65
    assert set(log.of("epoch")[0]) >= {"accuracy", "val_accuracy"}


@pytest.mark.parametrize("hurt", ["rate", "inputs"])
def test_a_loss_that_is_no_number_stops_the_stage_at_once(tmp_path, hurt):
    data = digits(640)
    compile = Compile(optimizer=Optimizer(name="sgd"), loss=Loss(name="mse"), metrics=(Metric(name="mae"),))
    targets = (data.train.targets[:, np.newaxis] * 1e3).astype("float32")
    inputs = data.train.inputs.copy()
    if hurt == "inputs":
        inputs[300] = np.nan
    data = replace(data, train=Split(inputs, targets), validation=Split(inputs, targets), num_classes=None)
    model = tf_keras.Sequential([tf_keras.layers.Flatten(input_shape=(8, 8, 1)), tf_keras.layers.Dense(1)])
    log = Log()
    stage = Train(epochs=50, learning_rate=1e3 if hurt == "rate" else 1e-9)

    with pytest.raises(StageError, match=r"the loss became (nan|inf) in epoch \d+, at step \d+\. Lower the"):
        training.train(model, stage, context(tmp_path, log, data=data, compile=compile))

    assert len(log.of("epoch")) < 5


def test_labels_beyond_the_outputs_are_refused(tmp_path):
    model = tf_keras.Sequential([tf_keras.layers.Flatten(input_shape=(8, 8, 1)), tf_keras.layers.Dense(5)])

    with pytest.raises(StageError, match="labels go from 0 to 9, but the model has 5 outputs"):
        training.train(model, Train(epochs=1), context(tmp_path))


def test_shapes_that_do_not_fit_are_refused(tmp_path):
    wrong_inputs = tf_keras.Sequential([tf_keras.layers.Dense(10, input_shape=(7,))])
    wrong_targets = Compile(loss=Loss(name="categorical_crossentropy"))

    with pytest.raises(
        StageError, match=r"takes \(None, 7\).*inputs \(None, 8, 8, 1\).*Keras says: ValueError: .*incompatible"
    ):
        training.train(wrong_inputs, Train(epochs=1), context(tmp_path))
    with pytest.raises(StageError, match=r"gives \(None, 10\).*targets \(None,\).*Keras says: ValueError: Shapes"):
        training.train(small_model(), Train(epochs=1), context(tmp_path, compile=wrong_targets))


def test_tensorboard_names_the_extra_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(EnvironmentProblem, match=r"tfopt\[tensorboard\]"):
        training.train(small_model(), Train(epochs=1, tensorboard=True), context(tmp_path))


def test_tensorboard_logs(tmp_path):
    pytest.importorskip("tensorboard")

    training.train(small_model(), Train(epochs=1, tensorboard=True), context(tmp_path, data=digits(64)))

    assert {path.parent.name for path in (tmp_path / "logs").rglob("events.*")} == {"train", "validation"}


def test_averaged_weights_are_the_result_where_the_optimizer_keeps_them(tmp_path):
    compile = Compile(optimizer=Optimizer(name="adam", use_ema=True, ema_momentum=0.5))
    plain = training.train(small_model(), Train(epochs=1), context(tmp_path / "a", data=digits(256))).model

    averaged = training.train(
        small_model(), Train(epochs=1), context(tmp_path / "b", data=digits(256), compile=compile)
    ).model

    assert not same_weights(plain, averaged)
    assert np.allclose(plain.get_weights()[0], averaged.get_weights()[0], atol=0.02)


def test_a_model_with_its_own_training_step(tmp_path):
    class Telling(tf_keras.Model):
        def train_step(self, batch):
            logs = super().train_step(batch)
            return {**logs, "twice": 2 * logs["loss"]}

    base = small_model()
    log = Log()

    training.train(Telling(base.inputs, base.outputs), Train(epochs=1), context(tmp_path, log, data=digits(640)))

    entry = log.of("epoch")[0]
    assert entry["twice"] == pytest.approx(2 * entry["loss"])
