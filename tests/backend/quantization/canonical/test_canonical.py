"""The canonical form as a whole: proof, names, and what training, files and rules see of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers

from tests.support.contexts import qat, qat_context
from tests.support.converting import converter_of
from tests.support.digits import digit_arrays
from tests.support.models import accuracy, answers, prune_by_magnitude, train
from tfopt.backend.audit.tflite import audit_tflite
from tfopt.backend.quantization import load_quantized, save_quantized
from tfopt.backend.quantization.annotation import layer_treatments
from tfopt.backend.quantization.canonical import canonicalize
from tfopt.backend.quantization.canonical.rewrite import Rewrite
from tfopt.backend.stages.qat import quantize_aware_train
from tfopt.core.config.quantization import Quantization, QuantizeRule
from tfopt.errors import StageError

pytestmark = pytest.mark.tf


class Wrong(Rewrite):
    """A rewrite that changes what is computed."""

    title = "wrong"

    def applies(self, site):
        return type(site.layer) is layers.ReLU

    def replace(self, site, inputs):
        return site.make("", lambda name: layers.Rescaling(0.5, name=name))(inputs)


def test_a_rewrite_that_changes_the_outputs_is_an_error_that_names_the_layer() -> None:
    image = layers.Input((4, 4, 2))
    x = layers.ReLU(name="culprit")(layers.Conv2D(3, 1, name="innocent")(image))
    model = tf_keras.Model(image, layers.Conv2D(3, 1, name="victim")(x))
    with pytest.raises(StageError, match=r"has different outputs .* layer 'culprit' is the first that differs"):
        canonicalize(model, passes=((Wrong(),),))


def test_a_model_with_random_outputs_is_accepted() -> None:
    image = layers.Input((4,))
    model = tf_keras.Model(image, layers.Lambda(lambda x: x + tf.random.normal((4,)))(image))
    canonicalize(model)


def _series_model() -> tf_keras.Model:
    """The rows of a digit as a sequence: convolutions, a dense layer and a nested model along it."""
    image = layers.Input((8, 8, 1), name="image")
    x = layers.Reshape((8, 8), name="rows")(image)
    x = layers.Conv1D(24, 3, padding="same", use_bias=False, name="conv")(x)
    x = layers.ReLU(name="relu")(layers.BatchNormalization(momentum=0.8, name="norm")(x))
    inner = [layers.InputLayer((8, 24)), layers.Dense(32, activation="swish", name="dense")]
    x = tf_keras.Sequential(inner, name="nested")(x)
    x = layers.BatchNormalization(momentum=0.8, name="lone")(x)
    x = layers.Flatten(name="flat")(x)
    return tf_keras.Model(image, layers.Dense(10, activation="softmax", name="logits")(x), name="series")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    model = prune_by_magnitude(train(_series_model(), epochs=12), 0.5)
    stage = qat(epochs=2)
    work = tmp_path_factory.mktemp("canonical")
    return model, quantize_aware_train(model, stage, stage, qat_context(work, "sparse")).model


def test_training_the_canonical_form_trains_the_original(trained) -> None:
    model, quantized = trained
    assert [layer.name for layer in quantized.float_model.layers] == [layer.name for layer in model.layers]
    assert accuracy(quantized.model) > 0.65
    assert abs(accuracy(quantized.float_model) - accuracy(quantized.model)) < 0.08
    conv, nested = quantized.float_model.get_layer("conv"), quantized.float_model.get_layer("nested")
    for kernel, before in (
        (conv.kernel, model.get_layer("conv").kernel),
        (nested.layers[0].kernel, model.get_layer("nested").layers[0].kernel),
    ):
        assert (kernel.numpy() == 0).mean() >= 0.49
        assert np.abs(kernel.numpy() - before.numpy()).max() > 0


def test_the_wrappers_are_rebuilt_from_the_original(trained, tmp_path: Path) -> None:
    _, quantized = trained
    save_quantized(quantized, tmp_path)
    loaded = load_quantized(tmp_path)
    images, _ = digit_arrays()
    one, other = (answers(each.model, images[:64]) for each in (quantized, loaded))
    np.testing.assert_allclose(one, other, atol=0.01)
    assert loaded.original_names == quantized.original_names


def test_tensors_of_the_file_belong_to_layers_of_the_original(trained, tmp_path: Path) -> None:
    _, quantized = trained
    converter = converter_of(quantized.model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    (tmp_path / "int8.tflite").write_bytes(converter.convert())
    audit = audit_tflite(
        tmp_path / "int8.tflite", ["conv", "norm", "dense", "lone", "logits"], quantized.original_names
    )
    assert audit.float_operators == {}
    kernels = {tensor.layer: tensor for tensor in audit.tensors if tensor.role == "weight"}
    assert set(kernels) == {"conv", "dense", "lone", "logits"}
    assert min(kernels[name].sparsity for name in ("conv", "dense", "logits")) >= 0.45


def test_a_rule_for_the_original_is_one_for_all_that_computes_it() -> None:
    model = _series_model()
    rules = (QuantizeRule(type="Conv1D", skip=True), QuantizeRule(match="dense", skip=True))
    found = layer_treatments(model, Quantization(layers=rules))
    assert found["conv"].startswith("after training")
    assert found["dense"].startswith("after training")
    assert found["lone"].startswith("simulated")
