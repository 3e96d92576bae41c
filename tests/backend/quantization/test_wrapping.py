"""Wrapping and stripping."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import tf_keras
from tensorflow_model_optimization.quantization.keras import QuantizeWrapper
from tf_keras import layers

from tests.support.digits import training_images
from tests.support.files import int8_file
from tests.support.models import answers, branchy_model, separate_relu_model
from tfopt.backend.quantization.calibration import calibrate
from tfopt.backend.quantization.canonical import canonicalize
from tfopt.backend.quantization.weight_constraints import WeightConstraints
from tfopt.backend.quantization.wrapping import strip, wrap
from tfopt.core.config.quantization import Quantization, QuantizeRule
from tfopt.errors import StageError

pytestmark = pytest.mark.tf
ALL = Quantization()


class Doubling(layers.Layer):
    """A layer that tf_keras does not know by name."""

    def call(self, inputs):
        return inputs * 2.0


class Stubborn(layers.Layer):
    """A layer without a usable get_config."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor


def _model(*stack: layers.Layer) -> tf_keras.Model:
    return tf_keras.Sequential([layers.InputLayer((8, 8, 1), name="image"), *stack])


def _outputs(model: tf_keras.Model) -> np.ndarray:
    return answers(model, training_images()[:32])


@pytest.mark.parametrize("build", [branchy_model, separate_relu_model])
def test_stripping_gives_the_model_back(build, request) -> None:
    if build is branchy_model:
        branchy = request.getfixturevalue("branchy")
        model, wrapped = branchy.model, branchy.wrapped
    else:
        model = build()
        wrapped = wrap(canonicalize(model), ALL, WeightConstraints())
    plain = strip(wrapped, canonicalize(model))
    assert type(plain) is type(model)
    assert [layer.name for layer in plain.layers] == [layer.name for layer in model.layers]
    np.testing.assert_array_equal(_outputs(plain), _outputs(model))
    assert not {id(variable) for variable in plain.variables} & {id(variable) for variable in model.variables}


@dataclass(frozen=True)
class Wrapped:
    """A model, what it had before, and what wrapping made of it."""

    model: tf_keras.Model
    weights: list[np.ndarray]
    calls: dict[str, int]
    wrapped: tf_keras.Model


def _calls(model: tf_keras.Model) -> dict[str, int]:
    return {layer.name: len(layer.inbound_nodes) for layer in model.layers}


@pytest.fixture(scope="module")
def branchy() -> Wrapped:
    model = branchy_model()
    before, calls = [variable.numpy() for variable in model.variables], _calls(model)
    return Wrapped(model, before, calls, wrap(canonicalize(model), ALL, WeightConstraints()))


def test_wrapping_leaves_the_model_alone(branchy: Wrapped) -> None:
    assert _calls(branchy.model) == branchy.calls
    for variable, value in zip(branchy.model.variables, branchy.weights, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_names_are_the_same_every_time(branchy: Wrapped) -> None:
    again = wrap(canonicalize(branchy.model), ALL, WeightConstraints())
    assert [variable.name for variable in branchy.wrapped.variables] == [variable.name for variable in again.variables]
    assert "image_rounded" in {layer.name for layer in again.layers}


def test_every_operator_is_rounded_once(branchy: Wrapped) -> None:
    wrappers = {layer.layer.name: layer for layer in branchy.wrapped.layers if isinstance(layer, QuantizeWrapper)}
    rounded = {name for name, wrapper in wrappers.items() if wrapper._output_quantizers}
    assert rounded == {
        "stem_relu",
        "conv_relu",
        "depthwise_relu",
        "sum_relu",
        "transpose",
        "transpose_relu",
        "inner",
        "separable_depthwise",
        "join",
        "hidden_relu",
    }
    kernels = {name for name, wrapper in wrappers.items() if wrapper._weight_vars}
    assert kernels == {
        "stem",
        "conv",
        "depthwise",
        "transpose",
        "inner",
        "separable_depthwise",
        "separable_pointwise",
        "right",
        "skipped",
        "hidden",
        "logits",
    }


def test_custom_and_lambda_layers_do_not_stop_the_others() -> None:
    model = _model(
        layers.Conv2D(4, 3, name="kernel"), Doubling(name="own"), layers.Lambda(lambda x: x + 1.0), layers.Flatten()
    )
    wrapped = wrap(canonicalize(model), ALL, WeightConstraints())
    calibrate(wrapped, [training_images()[:64]])
    np.testing.assert_allclose(_outputs(wrapped), _outputs(model), atol=0.1)
    np.testing.assert_array_equal(_outputs(strip(wrapped, canonicalize(model))), _outputs(model))


def test_kernels_with_any_function_convert() -> None:
    image = layers.Input((8, 8, 1), name="image")
    functions = ("elu", "relu6", "softplus", "leaky_relu")
    kernels = [layers.Conv2D(4, 3, padding="same", activation=name, name=name)(image) for name in functions]
    model = tf_keras.Model(
        image, [layers.Dense(4)(layers.Flatten()(layers.UpSampling2D()(kernel))) for kernel in kernels]
    )
    wrapped = wrap(canonicalize(model), ALL, WeightConstraints())
    calibrate(wrapped, [training_images()[:64]])
    assert int8_file(wrapped).float_operators == []


def test_integer_inputs() -> None:
    words = layers.Input((8,), dtype="int32", name="words")
    x = layers.GlobalAveragePooling1D()(layers.Embedding(20, 4, name="table")(words))
    wrapped = wrap(canonicalize(tf_keras.Model(words, layers.Dense(3)(x))), ALL, WeightConstraints())
    numbers = np.arange(512, dtype=np.int32).reshape(64, 8) % 20
    calibrate(wrapped, [numbers])
    file = int8_file(wrapped, numbers)
    assert file.float_operators == []
    assert "GATHER" in file.operators


def test_mixed_precision_is_wrapped_in_float32() -> None:
    kernel = layers.Conv2D(4, 3, activation="relu", name="kernel", dtype="mixed_float16")
    model = _model(kernel, layers.Flatten(dtype="mixed_float16"), layers.Dense(4))
    wrapped = wrap(canonicalize(model), ALL, WeightConstraints())
    calibrate(wrapped, [training_images()[:64]])
    np.testing.assert_allclose(_outputs(wrapped), _outputs(model), atol=0.1)
    assert strip(wrapped, canonicalize(model)).get_layer("kernel").compute_dtype == "float16"


def test_nothing_to_simulate_is_an_error() -> None:
    everything = Quantization(layers=(QuantizeRule(skip=True),))
    with pytest.raises(StageError, match="No layer of the model 'separate' can be simulated"):
        wrap(canonicalize(separate_relu_model()), everything, WeightConstraints())


def test_a_model_that_cannot_be_cloned_is_an_error() -> None:
    model = _model(layers.Conv2D(4, 3), Stubborn(2.0))
    with pytest.raises(StageError, match=r"cannot be cloned.*get_config\(\)"):
        wrap(canonicalize(model), ALL, WeightConstraints())
