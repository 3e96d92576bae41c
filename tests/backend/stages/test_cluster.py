from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

from tests.support.children.processes import kill_stage
from tests.support.contexts import Log, context
from tests.support.digits import digits
from tests.support.models import same_weights, small_model
from tfopt.backend.clustering import eligibility
from tfopt.backend.clustering.kernels import first_centroids
from tfopt.backend.clustering.plan import skipped
from tfopt.backend.graph.channels import from_rows, most_unique, rows
from tfopt.backend.graph.kernels import clusterable_kernels
from tfopt.backend.graph.layer_records import layer_records
from tfopt.backend.stages import cluster as clustering
from tfopt.backend.stages import fit as training
from tfopt.backend.training import loop, steps
from tfopt.backend.training.evaluate import evaluate
from tfopt.backend.training.resume import checkpoint
from tfopt.core.config.clustering import Sharing
from tfopt.core.contracts.preflight import Preflight
from tfopt.core.contracts.stage import StageContext
from tfopt.errors import RecipeError
from tfopt.stages.cluster import Cluster
from tfopt.stages.train import Train

pytestmark = pytest.mark.tf
layers = tf_keras.layers

KERNELS = ("conv1", "conv2", "hidden", "logits")


def stage(**keys: Any) -> Cluster:
    return Cluster.model_validate({"name": "cluster", "epochs": 2, "clusters": 6, "learning_rate": 1e-3, **keys})


def carry_out(model: tf_keras.Model, one: Cluster, given: StageContext) -> tf_keras.Model:
    result = one.apply(model, given)
    return given.emit.reported(result) if isinstance(given.emit, Log) else result.model


def unique(model: tf_keras.Model, name: str) -> int:
    return int(np.unique(model.get_layer(name).kernel.numpy()).size)


def unique_per_channel(model: tf_keras.Model, name: str) -> int:
    layer = model.get_layer(name)
    return most_unique(rows(layer.kernel, layer).numpy())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tf_keras.Model:
    model = small_model(dropout=0.2)
    return training.train(model, Train(epochs=6), context(tmp_path_factory.mktemp("trained"))).model


@pytest.fixture
def model(trained: tf_keras.Model) -> tf_keras.Model:
    return copy(trained)


def copy(model: tf_keras.Model) -> tf_keras.Model:
    made = tf_keras.models.clone_model(model)
    made.set_weights(model.get_weights())
    return made


# The centroids of the others are proven below; what follows is the same.
@pytest.mark.parametrize(
    "initialization",
    [
        "kmeans++",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("linear", "density", "random")),
    ],
)
def test_every_kernel_has_few_values_and_the_model_still_knows_digits(initialization, model, tmp_path):
    names = [weight.name for weight in model.weights]
    before = model.get_layer("norm").moving_mean.numpy()
    given = context(tmp_path)

    clustered = carry_out(model, stage(initialization=initialization, epochs=3), given)

    assert clustered is model
    assert [unique(model, name) for name in KERNELS] == [6] * 4
    assert np.unique(model.get_layer("hidden").bias.numpy()).size > 6
    assert [weight.name for weight in model.weights] == names, "the wrappers leave no trace"
    assert not any("get_clusterable_weights" in vars(layer) for layer in model.layers)
    assert np.abs(model.get_layer("norm").moving_mean.numpy() - before).max() > 1e-3
    assert evaluate(model, given.data.test, given.compile)["accuracy"] > 0.5


@pytest.mark.parametrize("initialization", ["linear", "density", "kmeans++", "random"])
def test_first_centroids_lie_among_the_weights(initialization):
    values = np.random.default_rng(0).normal(size=200).astype(np.float32)
    found = first_centroids(values, 6, initialization, sparse=False)
    assert np.unique(found).size == 6
    evenly = np.allclose(np.diff(np.sort(found), n=2), 0, atol=1e-5)
    assert evenly == (initialization == "linear")
    outside = 0.011  # the ends of the density-based ones lie 0.01 outside the weights
    assert values.min() - outside <= found.min() < found.max() <= values.max() + outside
    values[:120] = 0
    assert 0 in first_centroids(values, 6, initialization, sparse=True)


def test_clusters_per_channel_and_rules(model, tmp_path):
    log = Log()
    asked = stage(
        clusters=4,
        per_channel=True,
        layers=[
            {"match": "conv1", "clusters": 3},
            {"match": "hidden", "clusters": 12},
            {"match": "logits", "skip": True},
        ],
    )

    carry_out(model, asked, context(tmp_path, log))

    assert [unique_per_channel(model, name) for name in ("conv1", "conv2")] == [3, 4]
    assert unique(model, "conv2") > 16
    assert unique(model, "hidden") == 12, "Dense shares values in the whole kernel"
    assert unique(model, "logits") == 320
    told = log.of("details")[0]
    assert told["clusters"]["conv2"] == {"clusters": 4, "per_channel": True}
    assert told["clusters"]["hidden"] == {"clusters": 12, "per_channel": False}
    assert told["skipped"] == {"norm": "BatchNormalization has no kernel", "logits": "a rule says skip"}


@pytest.mark.parametrize("per_channel", [False, True])
def test_zeros_of_a_pruned_model_stay(per_channel, model, tmp_path):
    zeros = {}
    for name in KERNELS:
        kernel = model.get_layer(name).kernel
        values = kernel.numpy()
        values[np.abs(values) < np.quantile(np.abs(values), 0.6)] = 0
        kernel.assign(values)
        zeros[name] = values == 0
    log = Log()
    given = replace(context(tmp_path, log), traits=frozenset({"trained", "sparse"}))

    carry_out(model, stage(per_channel=per_channel), given)

    for name, where in zeros.items():
        assert not model.get_layer(name).kernel.numpy()[where].any()
        assert unique_per_channel(model, name) <= 6
    assert log.of("epoch")[-1]["sparsity"] >= 0.599

    if not per_channel:
        given = replace(given, work=tmp_path / "dense", traits=frozenset({"trained"}))
        carry_out(model, stage(epochs=1), given)
        found = np.mean(model.get_layer("hidden").kernel.numpy() == 0)
        assert found < 0.1, "without the trait zeros are like other values"


@pytest.mark.parametrize("unroll", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_layers_of_many_kinds_share_values(unroll, tmp_path):
    inputs = layers.Input((8, 8, 1))
    x = layers.Reshape((8, 8))(inputs)
    x = layers.Conv1D(12, 3, padding="same", name="conv")(x)
    x = layers.LSTM(8, return_sequences=True, dropout=0.1, unroll=unroll, name="lstm")(x)
    x = layers.MultiHeadAttention(2, 4, name="attention")(x, x)
    x = layers.Bidirectional(layers.GRU(6, return_sequences=True, unroll=unroll), name="both_ways")(x)
    x = layers.TimeDistributed(layers.Dense(8), name="each_step")(x)
    x = layers.SeparableConv1D(8, 3, padding="same", name="separable")(x)
    x = layers.Conv1DTranspose(6, 3, name="transposed")(x)
    model = tf_keras.Model(inputs, layers.Dense(10, activation="softmax", name="logits")(layers.Flatten()(x)))

    carry_out(model, stage(epochs=1, clusters=5, per_channel=True), context(tmp_path, data=digits(128)))

    found = {
        layer.name: [most_unique(rows(kernel, layer).numpy()) for kernel in clusterable_kernels(layer)]
        for layer in model.layers
    }
    assert {name: len(counts) for name, counts in found.items() if counts} == {
        "conv": 1,
        "lstm": 2,
        "attention": 4,
        "both_ways": 4,
        "separable": 1,
        "transposed": 1,
        "logits": 1,
    }
    assert max(most for counts in found.values() for most in counts) == 5
    assert (
        eligibility.reason_not_clusterable(model.get_layer("each_step"))
        == "tfmot clusters no weights of TimeDistributed"
    )


def test_layers_that_are_left_alone_are_named_with_the_reason():
    inputs = layers.Input((8, 8, 1))
    x = layers.Conv2D(4, 1, name="tiny")(inputs)
    x = layers.DepthwiseConv2D(3, name="depthwise")(x)
    x = layers.LayerNormalization(name="norm")(layers.Flatten()(x))
    x = layers.Dense(8, name="frozen", trainable=False)(x)
    model = tf_keras.Model(inputs, layers.Dense(10, name="logits")(x))

    asked = stage(clusters=16, per_channel=True)

    assert skipped(model, asked) == {
        "tiny": "has 1 weight per channel, no more than 16 clusters",
        "depthwise": "DepthwiseConv2D is never clustered by tfmot: its kernels are small and accuracy suffers",
        "norm": "LayerNormalization has no kernel",
        "frozen": "is frozen (trainable=False)",
    }
    assert clustering.preflight(model, asked) == Preflight(skipped=skipped(model, asked))


REFUSED = [
    ({"layers": [{"match": "convolution"}]}, r"layers\.0\.match matches no layer: 'convolution'.*conv1, conv2, hidden"),
    ({"layers": [{"match": "norm", "clusters": 4}]}, "asks for layer norm, which cannot be done: it Batch"),
    ({"layers": [{"match": "logits", "clusters": 320}]}, "has 320 weights, no more than 320 clusters"),
    ({"layers": [{"match": "hidden", "per_channel": True}]}, "Dense has one scale for its whole kernel"),
    ({"clusters": 5000}, "leave no layer to cluster .*has 2,048 weights"),
    ({"layers": [{"skip": True}]}, "leave no layer to cluster"),
]


@pytest.mark.parametrize(("keys", "message"), REFUSED)
def test_what_cannot_be_done_is_said_before_training(keys, message, model, tmp_path):
    log = Log()
    asked = stage(**keys)
    found = clustering.preflight(model, asked)
    with pytest.raises(RecipeError) as caught:
        carry_out(model, asked, context(tmp_path, log))
    told = "; ".join(f"{'.'.join(map(str, problem.path))} {problem.message}" for problem in caught.value.problems)
    assert re.search(message, told), told
    assert [mistake.message for mistake in found.problems] == [problem.message for problem in caught.value.problems]
    assert log.of("progress") == []


def test_rows_are_output_channels():
    conv = layers.Conv2DTranspose(2, 3, name="transposed")
    conv.build((None, 4, 4, 3))
    assert rows(conv.kernel, conv).shape == (2, 27)
    np.testing.assert_array_equal(rows(conv.kernel, conv)[1], conv.kernel.numpy()[:, :, 1, :].ravel())
    np.testing.assert_array_equal(from_rows(rows(conv.kernel, conv), conv.kernel, conv), conv.kernel)
    depthwise = layers.DepthwiseConv2D(3, depth_multiplier=2)
    depthwise.build((None, 4, 4, 5))
    assert rows(depthwise.depthwise_kernel, depthwise).shape == (10, 9)


def test_records_say_how_many_values_there_are(model, tmp_path):
    carry_out(model, stage(per_channel=True, epochs=1), context(tmp_path, data=digits(128)))
    records = {r.name: r for r in layer_records(model, {}, {"conv2": Sharing(6, True)})}
    assert (records["conv2"].clusters, records["conv2"].clusters_per_channel) == (6, True)
    assert records["conv2"].unique_per_channel == 6 < records["conv2"].unique
    assert records["norm"].unique_per_channel is None
    assert records["hidden"].clusters is None


KILLED = stage(
    epochs=6,
    clusters=5,
    initialization="random",
    layers=[{"match": "conv2", "per_channel": True}],
    learning_rate={"kind": "plateau", "initial": 0.01, "patience": 1, "monitor": "loss"},
    early_stopping={"monitor": "val_loss", "patience": 3},
)
"""Random first centroids, dropout, plateau and early stopping, on a sparse model."""


def run_killed(folder: Path, react: Any = lambda event: None) -> tf_keras.Model:
    """Carries the stage out in a folder."""
    model = small_model(dropout=0.3)
    hidden = model.get_layer("hidden").kernel
    hidden.assign(hidden * np.tile([0.0, 1.0], (hidden.shape[0], hidden.shape[1] // 2)))
    given = replace(context(folder, react, data=digits(640)), traits=frozenset({"trained", "sparse"}))
    return carry_out(model, KILLED, given)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    log = Log()
    return run_killed(tmp_path_factory.mktemp("whole"), log), log


def test_a_stage_interrupted_within_an_epoch_ends_with_the_same_weights(uninterrupted, tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "SIGN_OF_LIFE", 0.0)
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_SIGNS", 0.0)
    (whole, whole_log), log = uninterrupted, Log()

    def interrupt(event):
        if event["event"] == "progress" and event["step"] == 25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_killed(tmp_path, interrupt)

    assert same_weights(run_killed(tmp_path, log), whole)
    assert log.of("progress")[0]["step"] == 26
    assert [e["loss"] for e in log.of("epoch")] == [e["loss"] for e in whole_log.of("epoch")]


@pytest.mark.slow  # processes that are killed are in CI with a pruning stage: training/test_resuming.py
def test_a_stage_killed_twice_ends_with_the_same_weights(uninterrupted, tmp_path):
    (whole, whole_log), log = uninterrupted, Log()
    for moment in ("progress 3", "saving"):
        kill_stage(f"{__name__}:run_killed", tmp_path, moment)
    assert len(checkpoint.read(tmp_path / "work").state["history"]) == 2

    model = run_killed(tmp_path, log)

    assert same_weights(model, whole)
    assert [e["loss"] for e in log.of("epoch")] == [e["loss"] for e in whole_log.of("epoch")]
    assert log.of("warning") == []
