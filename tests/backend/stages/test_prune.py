from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tensorflow_model_optimization.python.core.sparsity.keras import pruning_utils

from tests.support.contexts import Log, context
from tests.support.digits import digits
from tests.support.models import small_model
from tfopt.backend.data.splits import Split
from tfopt.backend.graph.sparsity import pattern_sparsity
from tfopt.backend.pruning.plan import layer_plans
from tfopt.backend.stages import fit as training
from tfopt.backend.stages import prune as pruning
from tfopt.backend.training.evaluate import evaluate
from tfopt.core.config.pruning import Pattern, Pruning
from tfopt.core.config.schedules import Constant
from tfopt.core.config.training.compile import Compile
from tfopt.core.contracts.preflight import Workload
from tfopt.errors import RecipeError, StageError
from tfopt.stages.prune import Prune
from tfopt.stages.train import Train

pytestmark = pytest.mark.tf

layers = tf_keras.layers
POLYNOMIAL = {"kind": "polynomial", "final": "80%", "end": "70%"}

CONSTANT = {"kind": "constant", "final": "50%"}


def stage_of(schedule=POLYNOMIAL, epochs=4, **more):
    return Prune.model_validate({"name": "prune", "epochs": epochs, "schedule": schedule, **more})


def prune(model, stage, folder, emit=lambda event: None, **more):
    result = pruning.prune(model, stage, stage, context(folder, emit, **more))
    return emit.reported(result) if isinstance(emit, Log) else result.model


def share(layer):
    return pruning.layer_sparsity(layer)


@pytest.fixture(scope="module")
def pruned(tmp_path_factory):
    """A trained model, pruned with two schedules and a layer left out, and the events of the pruning."""
    log = Log()
    model = small_model()
    training.train(model, Train(epochs=8), context(tmp_path_factory.mktemp("train")))
    stage = stage_of(
        {**POLYNOMIAL, "initial": "30%", "every": "6 steps"},
        layers=[
            {"match": "logits", "skip": True},
            {
                "match": "conv.*",
                "schedule": {"kind": "constant", "final": "50%", "begin": "1 epoch", "end": "2 epochs"},
            },
        ],
    )
    return prune(model, stage, tmp_path_factory.mktemp("prune"), log), log


def test_each_layer_reaches_its_own_sparsity_and_the_model_still_works(pruned):
    model, _ = pruned

    found = {layer.name: share(layer) for layer in model.layers if layer.name in ("conv1", "conv2", "hidden", "logits")}

    assert found == pytest.approx({"conv1": 0.5, "conv2": 0.5, "hidden": 0.8, "logits": 0.0}, abs=0.002)
    assert evaluate(model, digits().test, Compile())["accuracy"] > 0.65
    sizes = {"conv1": 72, "conv2": 1152, "hidden": 2048, "logits": 320}
    assert {name: int(tf.size(model.get_layer(name).kernel)) for name in sizes} == sizes
    overall = (72 * 0.5 + 1152 * 0.5 + 2048 * 0.8) / sum(sizes.values())
    assert pruning.sparsity(model) == pytest.approx(overall, abs=0.002)


def test_no_wrapper_is_left_and_layers_keep_their_single_connection(pruned):
    model, _ = pruned

    assert all(type(layer).__module__.startswith("tf_keras") for layer in model.layers)
    assert model.get_layer("norm").output.shape[1:] == model.get_layer("conv2").output.shape[1:]
    assert tf_keras.Model(model.input, model.get_layer("hidden").output).output_shape == (None, 32)
    clone = tf_keras.Model.from_config(model.get_config())
    clone.set_weights(model.get_weights())
    assert np.array_equal(clone(digits().test.inputs), model(digits().test.inputs))


def test_planned_and_measured_sparsity_agree_in_every_epoch(pruned):
    _, log = pruned

    for entry in log.of("epoch"):
        assert entry["sparsity"] == pytest.approx(entry["planned_sparsity"], abs=0.002)
    assert log.of("epoch")[0]["sparsity"] > 0.2
    assert log.of("progress")[-1]["sparsity"] == log.of("epoch")[-1]["sparsity"]


def test_details_say_what_was_done_and_what_was_not(pruned):
    details = pruned[1].of("details")[0]

    assert details["schedules"]["hidden"] == {"kind": "polynomial", "begin": 0, "end": 48, "every": 6, "final": 0.8}
    assert details["schedules"]["conv1"] == {"kind": "constant", "begin": 19, "end": 38, "every": 1, "final": 0.5}
    assert details["skipped"] == {
        "norm": "tfmot prunes no weights of BatchNormalization",
        "logits": "a rule says skip",
    }


def test_a_threshold_takes_every_weight_below_it_in_each_kernel(tmp_path):
    log, model = Log(), small_model()
    before = {name: np.abs(model.get_layer(name).kernel.numpy()) for name in ("conv1", "conv2", "hidden", "logits")}
    below, high = 0.1, {"kind": "threshold", "below": 9, "ceiling": "75%"}
    stage = stage_of(
        {"kind": "threshold", "below": below},
        epochs=1,
        learning_rate=1e-9,
        layers=[{"match": "conv1", "schedule": high}],
    )
    result = prune(model, stage, tmp_path, log)

    for name in ("conv2", "hidden", "logits"):
        assert share(result.get_layer(name)) == pytest.approx((before[name] < below).mean(), abs=1e-6)
        assert 0.05 < share(result.get_layer(name)) < 0.95
    assert share(result.get_layer("conv1")) == 0.75
    details = log.of("details")[0]
    assert {group["below"] for group in details["decided"]} == {0.1, 9}
    assert "planned_curve" not in details
    (warned,) = log.of("warning")
    assert "above nearly all weights of conv1" in warned["message"]


def mixed_model():
    inputs = layers.Input((8, 8, 1))
    x = layers.Rescaling(1.0, name="rescaling")(inputs)
    x = layers.Conv2D(8, 1, activation="relu", name="pointwise")(x)
    x = layers.DepthwiseConv2D(3, name="depthwise")(x)
    x = layers.Conv2D(12, 3, name="conv")(x * 2.0)
    x = layers.PReLU(name="prelu")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(18, name="frozen", trainable=False)(x)
    return tf_keras.Model(inputs, layers.Dense(10, activation="softmax", name="logits")(x))


def test_preflight_gives_every_layer_its_reason():
    model = mixed_model()

    plain = pruning.skip_reasons(model, Pruning(schedule=Constant(final=0.5)))
    blocks = pruning.skip_reasons(model, Pruning(schedule=Constant(final=0.5), block_size=(1, 2)))
    groups = pruning.skip_reasons(model, Pruning(schedule=Constant(final=0.5), sparsity_m_by_n=(2, 4)))
    xnnpack = pruning.skip_reasons(model, Pruning(schedule=Constant(final=0.5), policy="xnnpack"))

    assert [name for name, reason in plain.items() if reason is None] == ["pointwise", "conv", "logits"]
    assert plain["rescaling"] == "has no weights"
    assert plain["depthwise"].startswith("DepthwiseConv2D is never pruned by tfmot")
    assert plain["prelu"] == "tfmot prunes no weights of PReLU"
    assert plain["frozen"] == "is frozen (trainable=False)"
    assert [name for name, reason in blocks.items() if reason is None] == ["logits"]
    assert blocks["conv"] == "block_size works on kernels of 2 axes, and this one has the shape (3, 3, 8, 12)"
    assert groups["pointwise"] == "sparsity_m_by_n [2, 4] needs groups of 4 input channels, and this one has 1"
    assert groups["logits"] == "sparsity_m_by_n [2, 4] needs groups of 4 input channels, and this one has 18"
    assert groups["conv"] is None
    assert [name for name, reason in xnnpack.items() if reason is None] == ["pointwise"]
    assert xnnpack["conv"] == "policy xnnpack prunes 1x1 convolutions only, and this one is 3x3"
    assert xnnpack["logits"] == "policy xnnpack prunes 1x1 convolutions only, not Dense"


def test_a_model_with_layers_that_tfmot_refuses_is_pruned_where_it_can_be(tmp_path):
    model = prune(mixed_model(), stage_of(epochs=2), tmp_path, data=digits(256))

    found = {
        layer.name: share(layer) for layer in model.layers if layer.name in ("pointwise", "conv", "frozen", "logits")
    }
    assert found == pytest.approx({"pointwise": 0.8, "conv": 0.8, "frozen": 0, "logits": 0.8}, abs=0.1)


REFUSED = [
    ({"layers": [{"match": "hiden", "skip": True}]}, r"matches no layer: 'hiden'.*hidden", ("layers", 0, "match")),
    ({"layers": [{"type": "Conv1D", "skip": True}]}, "matches no layer: .* of type Conv1D", ("layers", 0, "type")),
    ({"layers": [{"skip": True}]}, "leave no layer to prune .*conv1: a rule says skip", ("layers",)),
    ({"policy": "xnnpack"}, "leave no layer to prune", ("layers",)),
    (
        {"layers": [{"match": "conv2", "block_size": [1, 4]}]},
        "asks for layer conv2, which cannot be done: block_size works on kernels of 2 axes",
        ("layers", 0, "block_size"),
    ),
    (
        {"layers": [{"match": "conv1", "sparsity_m_by_n": [2, 4]}]},
        "asks for layer conv1, which cannot be done: .* this one has 1",
        ("layers", 0, "sparsity_m_by_n"),
    ),
    (
        {"layers": [{"match": "norm", "schedule": POLYNOMIAL}]},
        "asks for layer norm, which cannot be done: tfmot prunes no weights",
        ("layers", 0, "match"),
    ),
    (
        {"sparsity_m_by_n": (2, 4)},
        r"polynomial with final 80%, but sparsity_m_by_n \[2, 4\] always makes 50%",
        ("schedule",),
    ),
    ({"schedule": {**POLYNOMIAL, "begin": "90 steps"}}, "pruning would never begin", ("schedule",)),
    (
        {"layers": [{"match": "hidden", "schedule": {**POLYNOMIAL, "end": "9 epochs"}}]},
        "80% would never be reached",
        ("layers", 0, "schedule"),
    ),
]


@pytest.mark.parametrize(("changes", "message", "path"), REFUSED)
def test_what_cannot_be_is_refused_before_training(changes, message, path, tmp_path):
    stage = Prune.model_validate({"name": "prune", "epochs": 4, "schedule": POLYNOMIAL, **changes})
    log = Log()

    with pytest.raises(RecipeError, match=message) as caught:
        prune(small_model(), stage, tmp_path, log)

    assert caught.value.problems[0].path == path
    assert log.events == []
    ahead = pruning.preflight(small_model(), stage, Workload(76, 19, 1200))
    assert ahead.problems[0].path == path


def test_preflight_resolves_schedules_and_names_what_stays_dense():
    stage = stage_of(layers=[{"match": "logits", "skip": True}])

    ahead = pruning.preflight(small_model(), stage, Workload(76, 19, 1200))

    assert set(ahead.schedules) == {"conv1", "conv2", "hidden"}
    assert ahead.schedules["hidden"].end == 53
    assert ahead.skipped == {"logits": "a rule says skip"}
    assert ahead.problems == ()


@pytest.mark.parametrize("pooling", [pytest.param("average", marks=pytest.mark.slow), "max"])  # average: the default
def test_blocks(tmp_path, pooling):
    stage = stage_of(epochs=2, block_size=(4, 3), block_pooling=pooling, layers=[{"type": "Conv2D", "skip": True}])

    model = prune(small_model(), stage, tmp_path, data=digits(256))

    for name in ("hidden", "logits"):
        kernel = model.get_layer(name).kernel.numpy()
        measured, unit = pattern_sparsity(kernel, Pattern(block_size=(4, 3)))
        assert measured == pytest.approx(0.8, abs=unit)
    assert share(model.get_layer("conv2")) == 0


def test_two_of_four_in_the_layers_that_allow_it(tmp_path):
    log = Log()
    schedule = {"kind": "constant", "final": "50%", "begin": "5 steps", "end": "6 steps"}

    model = prune(small_model(), stage_of(schedule, 3, sparsity_m_by_n=(2, 4)), tmp_path, log, data=digits(256))

    details = log.of("details")[0]
    assert set(details["schedules"]) == {"conv2", "hidden", "logits"}
    assert details["skipped"]["conv1"].endswith("this one has 1")
    for name in details["schedules"]:
        assert pruning_utils.is_pruned_m_by_n(model.get_layer(name).kernel, (2, 4))
        assert share(model.get_layer(name)) == pytest.approx(0.5)
    assert log.of("epoch")[0]["sparsity"] == 0.0, "four steps of the first epoch, and the schedule begins at the fifth"


def test_a_rule_may_mix_patterns():
    rules = [{"match": "hidden", "sparsity_m_by_n": [2, 4]}, {"match": "logits", "block_size": [2, 2]}]
    stage = stage_of(layers=rules)

    plans = layer_plans(small_model(), stage, 76, 19)

    assert plans["hidden"].schedule.schedule.final_sparsity() == 0.5
    assert plans["logits"].pattern.block_size == (2, 2)
    assert plans["conv1"].pattern == Pattern()


@pytest.mark.parametrize("unroll", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_nested_models_and_recurrent_layers(unroll, tmp_path):
    inner = tf_keras.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(4, 3, name="inner_conv")], name="inner")
    inputs = layers.Input((8, 8, 1))
    x = layers.Reshape((6, 24), name="reshape")(inner(inputs))
    x = layers.LSTM(16, unroll=unroll, name="lstm")(x)
    model = tf_keras.Model(inputs, layers.Dense(10, activation="softmax", name="logits")(x))

    model = prune(model, stage_of(epochs=2), tmp_path, data=digits(256))

    assert share(model.get_layer("inner").get_layer("inner_conv")) == pytest.approx(0.8, abs=0.02)
    cell = model.get_layer("lstm").cell
    for kernel in (cell.kernel, cell.recurrent_kernel):
        assert np.mean(kernel.numpy() == 0) == pytest.approx(0.8, abs=0.002)


class NeedsMask(layers.GlobalAveragePooling1D):
    """Fails without a mask."""

    def call(self, inputs, mask=None):
        if mask is None:
            raise ValueError("no mask")
        return layers.GlobalAveragePooling1D.call(self, inputs, mask=mask)


def test_masks_of_an_embedding_reach_the_layer_after_it(tmp_path):
    inputs = layers.Input((64,), dtype="int32")
    x = layers.Embedding(17, 8, mask_zero=True, name="table")(inputs)
    x = NeedsMask(name="mean")(x)
    model = tf_keras.Model(inputs, layers.Dense(10, activation="softmax", name="logits")(x))
    data = digits(256)

    def words(split):
        return Split((split.inputs.reshape(-1, 64) * 16).astype("int32"), split.targets)

    data = replace(data, train=words(data.train), validation=words(data.validation), test=words(data.test))

    model = prune(model, stage_of(epochs=2), tmp_path, data=data)

    assert share(model.get_layer("table")) == pytest.approx(0.8, abs=0.01)


def test_a_subclassed_model_is_refused(tmp_path):
    class Own(tf_keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(10)

        def call(self, inputs):
            return self.dense(tf.reshape(inputs, (-1, 64)))

    model = Own()
    model(digits().test.inputs[:2])

    with pytest.raises(StageError, match="subclass of Model with its own call"):
        prune(model, stage_of(), tmp_path)


def test_a_layer_that_misses_its_sparsity_is_named(tmp_path):
    """Weights that are all equal cannot be ranked, so no mask can be made."""
    model = tf_keras.Sequential(
        [
            layers.Flatten(input_shape=(8, 8, 1)),
            layers.Dense(16, kernel_initializer="ones", name="equal"),
            layers.Dense(10, activation="softmax", name="logits"),
        ]
    )

    with pytest.raises(StageError, match=r"did not reach its planned sparsity in equal: .* instead of 80.0%"):
        prune(model, stage_of(epochs=1, learning_rate=1e-30), tmp_path, data=digits(256))
