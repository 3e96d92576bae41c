"""Averages of weights: what they are, what they keep, and what the statistics of batch normalization are then."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

from tests.support.contexts import Log, context
from tests.support.digits import digits
from tests.support.models import same_weights, small_model
from tfopt.backend.stages import average as averaging
from tfopt.backend.stages import fit as training
from tfopt.backend.stages import prune as pruning
from tfopt.backend.training import batch_norm as batch_statistics
from tfopt.backend.training.evaluate import evaluate
from tfopt.core.config.ensembling import Averaging
from tfopt.core.config.model_source import KnownModel, ModelLocation
from tfopt.core.config.training.compile import Compile
from tfopt.core.contracts.preflight import Workload
from tfopt.errors import StageError
from tfopt.stages.train import Train

pytestmark = pytest.mark.tf


@cache
def tuned_weights(seed: int) -> list[np.ndarray]:
    model = small_model()
    model.compile(tf_keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    tf_keras.utils.set_random_seed(seed)
    model.fit(digits().train.inputs, digits().train.targets, epochs=2, verbose=0)
    return model.get_weights()


def tuned(seed: int) -> tf_keras.Model:
    """One base, fine-tuned with a different order of the examples; new at each call, trained once."""
    model = small_model()
    model.set_weights(tuned_weights(seed))
    return model


def beside(folder: Path, *models: tf_keras.Model, **arguments: Any) -> Any:
    sources = {}
    for number, model in enumerate(models):
        path = folder / f"{number}.keras"
        model.save(path)
        sources[f"file {number}"] = ModelLocation(f"file {number}", "file", path)
    return replace(context(folder, **arguments), sources=sources)


def test_the_uniform_average_is_the_mean_of_all_weights(tmp_path: Path) -> None:
    models = [tuned(seed) for seed in range(3)]
    wanted = [np.mean(parts, axis=0) for parts in zip(*(model.get_weights() for model in models), strict=True)]
    mixed = averaging.average(models[0], Averaging(), beside(tmp_path, *models[1:])).model
    names = [weight.name for weight in mixed.weights]
    for name, value, mean in zip(names, mixed.get_weights(), wanted, strict=True):
        if "moving" not in name:
            np.testing.assert_allclose(value, mean, atol=1e-6)
    assert evaluate(mixed, digits().test, Compile())["accuracy"] > 0.65


def test_statistics_are_those_of_the_training_split() -> None:
    model = small_model()
    inner = tf_keras.Model(model.inputs, model.get_layer("conv2").output)
    answers = inner.predict(digits().train.inputs, verbose=0)
    batch_statistics.estimate(model, digits().train, seed=1)
    norm = model.get_layer("norm")
    np.testing.assert_allclose(norm.moving_mean.numpy(), answers.mean(axis=(0, 1, 2)), atol=0.01)
    np.testing.assert_allclose(norm.moving_variance.numpy(), answers.var(axis=(0, 1, 2)), rtol=0.1)
    assert norm.momentum == pytest.approx(0.99)
    again = small_model()
    batch_statistics.estimate(again, digits().train, seed=1)
    assert same_weights(model, again)
    frozen = small_model()
    frozen.get_layer("norm").trainable = False
    before = small_model()
    batch_statistics.estimate(frozen, digits().train, seed=1)
    assert same_weights(frozen, before)


def test_a_greedy_average_leaves_out_what_makes_it_worse(tmp_path: Path) -> None:
    good, other, spoiled = tuned(0), tuned(1), small_model(seed=9)
    best = max(evaluate(one, digits().validation, Compile())["accuracy"] for one in (good, other))
    log = Log()
    result = averaging.average(good, Averaging(method="greedy"), beside(tmp_path, other, spoiled, emit=log))
    mixed, details = result.model, result.details
    assert "file 1" not in details["averaged"]
    assert details["measured"]["file 1"] < 0.5
    assert evaluate(mixed, digits().validation, Compile())["accuracy"] >= best


def test_zeros_of_the_incoming_model_stay(tmp_path: Path) -> None:
    models = [tuned(seed) for seed in range(2)]
    masks = {}
    for model in models:
        kernel = model.get_layer("hidden").kernel
        masks[id(model)] = np.abs(kernel.numpy()) < np.median(np.abs(kernel.numpy()))
        kernel.assign(np.where(masks[id(model)], 0, kernel.numpy()))
    assert (masks[id(models[0])] != masks[id(models[1])]).any()
    given = replace(beside(tmp_path, models[1]), traits=frozenset({"sparse"}))
    mixed = averaging.average(models[0], Averaging(), given).model
    assert np.mean(mixed.get_layer("hidden").kernel.numpy() == 0) == pytest.approx(0.5, abs=0.01)
    assert pruning.sparsity(mixed) > 0.2


def test_epochs_that_a_stage_kept_are_averaged(tmp_path: Path) -> None:
    stage = Train(epochs=3, keep=(2, 3), name="train")
    given = context(tmp_path)
    last = training.train(small_model(), stage, given, keep=(2, 3)).model
    kept = [np.load(path) for path in sorted((given.work / "snapshots").glob("*.npz"))]
    log = Log()
    after = replace(context(tmp_path, log), earlier={"train": given.work})
    result = averaging.average(last, Averaging(epochs_of="train"), after)
    mixed = result.model
    mean = np.mean([arrays["hidden/0"] for arrays in kept], axis=0)
    np.testing.assert_allclose(mixed.get_layer("hidden").kernel.numpy(), mean, atol=1e-6)
    assert result.details["averaged"] == ["epoch 2", "epoch 3"]


def test_a_stage_can_end_with_its_moving_average(tmp_path: Path) -> None:
    def trained(folder: str, moving_average: float | None) -> tf_keras.Model:
        stage = Train(epochs=2, name="train", moving_average=moving_average)
        return training.train(small_model(), stage, context(tmp_path / folder), moving_average=moving_average).model

    plain, slow, fast = trained("a", None), trained("b", 0.7), trained("c", 1e-6)
    again = trained("d", 0.7)
    assert same_weights(slow, again)
    hidden = [model.get_layer("hidden").kernel.numpy() for model in (plain, slow, fast)]
    np.testing.assert_allclose(hidden[0], hidden[2], atol=1e-4)
    assert not np.allclose(hidden[0], hidden[1], atol=1e-4)
    assert evaluate(slow, digits().test, Compile())["accuracy"] > 0.3


def test_what_cannot_be_averaged_is_known_before_training_and_named() -> None:
    model = small_model()
    inputs = tf_keras.Input((8, 8, 1))
    x = tf_keras.layers.Conv2D(4, 3, name="narrow")(inputs)
    other = tf_keras.Model(inputs, tf_keras.layers.Dense(10, "softmax")(tf_keras.layers.Flatten()(x)))
    found = averaging.preflight(model, Averaging(), Workload(0, 1, 1, sources={"seed 3": KnownModel(other)}))
    (mistake,) = found.problems
    assert mistake.code == "incompatible_model"
    assert "conv1 has weights of the shapes" in mistake.message
    assert "narrow" in mistake.message
    base = Workload(0, 1, 1, sources={"seed 3": KnownModel(small_model(seed=3))})
    assert "begins from other weights" in averaging.preflight(model, Averaging(), base).warnings[0]
    same = Workload(0, 1, 1, sources={"recipe a.yaml": KnownModel(small_model())})
    assert averaging.preflight(model, Averaging(), same).warnings == ()
    (mistake,) = averaging.preflight(model, Averaging(method="greedy"), same).problems
    assert mistake.code == "no_validation_data"


def test_layers_that_turn_out_to_be_others_are_named(tmp_path: Path) -> None:
    inputs = tf_keras.Input((8, 8, 1))
    other = tf_keras.Model(inputs, tf_keras.layers.Dense(10)(tf_keras.layers.Flatten()(inputs)))
    with pytest.raises(StageError, match="file 0 cannot be averaged with the incoming model: conv1 is a Conv2D"):
        averaging.average(small_model(), Averaging(), beside(tmp_path, other))
