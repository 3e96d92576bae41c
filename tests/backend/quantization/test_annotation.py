"""How each layer is treated, found before training."""

from __future__ import annotations

import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers

from tests.support.models import branchy_model, separate_relu_model
from tfopt.backend.quantization import layer_treatments
from tfopt.core.config.quantization import Quantization, QuantizeRule
from tfopt.errors import StageError

pytestmark = pytest.mark.tf
LOOP = (
    "float: TFLite runs it as a loop, which computes in float with int8 kernels; unroll=True makes it integer, with a "
    "copy of its operators for each step (8 times the bytes of one measured model)"
)
LONE = "simulated, rewritten: BatchNormalization computed as 1x1 DepthwiseConv2D"
FOLDED = "simulated, rewritten: folded into the kernel before it"


def _treatment(layer: layers.Layer, shape: tuple[int, ...] = (8, 8, 4), dtype: str = "float32") -> str:
    given = layers.Input(shape, dtype=dtype)
    return layer_treatments(tf_keras.Model(given, layer(given)), Quantization())[layer.name]


def test_operators_of_a_branchy_model() -> None:
    found = layer_treatments(branchy_model(), Quantization(layers=(QuantizeRule(match="skipped", skip=True),)))
    assert {name: how for name, how in found.items() if how != "simulated"} == {
        "stem_relu": "fused with stem",
        "conv_norm": "fused with conv",
        "conv_relu": "fused with conv",
        "depthwise_relu": "fused with depthwise",
        "sum_relu": "fused with sum",
        "separable": "simulated, rewritten: SeparableConv2D computed as DepthwiseConv2D and Conv2D",
        "right_norm": "fused with right",
        "right_relu": "fused with right",
        "skipped": "after training",
        "hidden_norm": "fused with hidden",
        "hidden_relu": "fused with hidden",
    }


def test_a_sequential_model_has_the_treatment_of_its_layers() -> None:
    model = separate_relu_model()
    assert set(layer_treatments(model, Quantization())) == {layer.name for layer in model.layers}


@pytest.mark.parametrize("function", ["relu", "swish", "leaky_relu", "softmax", "gelu", tf.nn.relu6])
def test_any_function_may_be_inside_a_kernels_layer(function) -> None:
    own = ", rewritten: activation as a separate layer" if function in ("swish", "leaky_relu", "gelu") else ""
    assert _treatment(layers.Conv2D(4, 3, activation=function)) == f"simulated{own}"


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.BatchNormalization(axis=1), (8, 8, 4)),
        (layers.GRU(2, unroll=True), (8, 4)),
    ],
)
def test_layers_without_a_known_way_are_left_to_the_converter(layer, shape) -> None:
    assert _treatment(layer, shape) == "after training"


def test_the_lstm_operator_is_simulated_where_it_is_not_skipped() -> None:
    rows = layers.Input((8, 4), name="rows")
    model = tf_keras.Model(rows, layers.Dense(2, name="head")(layers.LSTM(2, name="steps")(rows)))
    assert layer_treatments(model, Quantization())["steps"] == "simulated"
    skipped = Quantization(layers=(QuantizeRule(type="LSTM", skip=True),))
    assert layer_treatments(model, skipped)["steps"] == "after training"


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (layers.ReLU(threshold=0.5), "float: TFLite turns the result of its comparison into numbers in float"),
        (layers.ReLU(3.0, negative_slope=0.1), "float: TFLite has no integer kernel for NEG"),
        (layers.Conv3D(2, 1), "float: TFLite has no integer kernel for CONV_3D"),
        (layers.TimeDistributed(layers.Conv3D(2, 1)), "float: TFLite has no integer kernel for CONV_3D"),
        (layers.SimpleRNN(4), LOOP),
        (layers.GRU(4), LOOP),
        (layers.Bidirectional(layers.GRU(4)), LOOP),
        (layers.LSTM(4, activation="relu"), LOOP),
    ],
)
def test_layers_that_stay_float_say_why(layer, reason) -> None:
    shapes = {"CONV_3D": (4, 4, 4, 1), "loop": (8, 4)}
    shape = next((shape for word, shape in shapes.items() if word in reason), (8, 8, 4))
    assert _treatment(layer, (2, *shape) if isinstance(layer, layers.TimeDistributed) else shape) == reason


def test_layers_of_nested_models_that_stay_float_are_treatment() -> None:
    nested = tf_keras.Sequential([layers.InputLayer((8, 8, 4)), layers.ThresholdedReLU(name="inner")], name="nested")
    image = layers.Input((8, 8, 4))
    found = layer_treatments(tf_keras.Model(image, layers.Dense(2, name="head")(nested(image))), Quantization())
    assert found["inner"] == "float: TFLite turns the result of its comparison into numbers in float"


def test_a_layer_with_one_scale_with_a_float_one_stays_float() -> None:
    image = layers.Input((8, 8, 1))
    join = layers.Concatenate(name="join")([layers.ThresholdedReLU(name="step")(image), image])
    found = layer_treatments(tf_keras.Model(image, join), Quantization())
    assert found["join"] == "float: it has one scale with step, which stays float"


@pytest.mark.parametrize(
    ("kernel", "follower", "heads"),
    [
        (layers.Conv2D(4, 1, activation="relu", name="k"), layers.BatchNormalization(name="f"), LONE),
        (layers.Conv2D(4, 1, name="k"), layers.BatchNormalization(axis=1, name="f"), "after training"),
        (layers.Conv2DTranspose(4, 1, name="k"), layers.BatchNormalization(name="f"), FOLDED),
        (layers.Dense(4, name="k"), layers.BatchNormalization(name="f"), "fused with k"),
        (layers.Conv2D(4, 1, name="k"), layers.ReLU(negative_slope=0.1, name="f"), "simulated"),
        (layers.Conv2D(4, 1, name="k"), layers.ReLU(2.0, name="f"), "simulated"),
        (layers.Conv2D(4, 1, name="k"), layers.Activation(tf.nn.relu6, name="f"), "fused with k"),
        (layers.DepthwiseConv2D(3, name="k"), layers.BatchNormalization(name="f"), "fused with k"),
    ],
)
def test_only_what_the_converter_fuses_is_one_operator(kernel, follower, heads) -> None:
    image = layers.Input((8, 8, 4))
    found = layer_treatments(tf_keras.Model(image, follower(kernel(image))), Quantization())
    assert found["k"].startswith("simulated")
    assert found["f"] == heads


def test_a_result_that_others_see_is_not_fused() -> None:
    image = layers.Input((8, 8, 4))
    kernel = layers.Conv2D(4, 1, name="k")(image)
    found = layer_treatments(tf_keras.Model(image, [layers.ReLU(name="f")(kernel), kernel]), Quantization())
    assert found["f"] == "simulated"


def test_a_shared_layer_is_not_fused() -> None:
    image = layers.Input((8, 8, 4))
    kernel = layers.Conv2D(4, 1, name="k")
    found = layer_treatments(tf_keras.Model(image, layers.ReLU(name="f")(kernel(kernel(image)))), Quantization())
    assert found == {"f": "simulated", "k": "simulated", image.node.layer.name: "simulated"}


def test_integer_inputs_are_not_rounded() -> None:
    words = layers.Input((8,), dtype="int32", name="words")
    found = layer_treatments(tf_keras.Model(words, layers.Embedding(10, 4, name="table")(words)), Quantization())
    assert found == {"words": "after training", "table": "simulated"}


def test_rules_by_type_and_order() -> None:
    rules = (QuantizeRule(type="Conv2D", skip=True), QuantizeRule(match="second", skip=False))
    found = layer_treatments(separate_relu_model(), Quantization(layers=rules))
    assert found["first"] == "after training"
    assert found["first_relu"] == "simulated"
    assert found["second"] == "simulated"


def test_a_subclassed_model_is_refused() -> None:
    class Own(tf_keras.Model):
        pass

    with pytest.raises(StageError, match="connections of its layers are not known before it runs"):
        layer_treatments(Own(name="own"), Quantization())


def test_layers_with_masks_are_simulated_with_the_mask_as_a_tensor() -> None:
    import tf_keras

    from tfopt.backend.quantization import layer_treatments
    from tfopt.core.config.quantization import Quantization

    words = tf_keras.Input((6,), dtype="int32", name="words")
    states = tf_keras.layers.Dense(4, name="dense")(
        tf_keras.layers.Embedding(9, 4, mask_zero=True, name="table")(words)
    )
    mean = tf_keras.layers.GlobalAveragePooling1D(name="mean")(states)
    found = layer_treatments(tf_keras.Model(words, tf_keras.layers.Dense(2, name="logits")(mean)), Quantization())
    assert {found[name].split(",")[0] for name in ("table", "dense", "mean", "logits")} == {"simulated"}
    assert "mean over the steps that its mask keeps" in found["mean"]
