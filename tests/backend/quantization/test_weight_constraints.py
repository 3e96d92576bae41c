"""What training must not undo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tf_keras

from tests.support.contexts import qat, qat_context
from tests.support.files import int8_file
from tests.support.models import branchy_model, inner_relu_model, least_sparsity, prune_by_magnitude, train
from tfopt.backend.quantization import Quantized, load_quantized, save_quantized
from tfopt.backend.stages.qat import quantize_aware_train

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def pruned() -> tf_keras.Model:
    return prune_by_magnitude(train(branchy_model(), epochs=4), 0.6)


@pytest.fixture(scope="module")
def quantized(pruned, tmp_path_factory) -> Quantized:
    stage = qat(epochs=5, layers=[{"match": "skipped", "skip": True}])
    given = qat_context(tmp_path_factory.mktemp("sparse"), "sparse")
    return quantize_aware_train(pruned, stage, stage, given).model


def test_every_kernel_keeps_its_zeros(pruned, quantized) -> None:
    """Also those of a depthwise, a transposed, a skipped, and a nested layer."""
    for before, after in zip(pruned.trainable_variables, quantized.float_model.trainable_variables, strict=True):
        if before.shape.rank >= 2:
            assert not (after.numpy()[before.numpy() == 0]).any(), before.name
            assert np.abs(after.numpy() - before.numpy()).max() > 1e-3, before.name


def test_the_file_is_sparse_and_integer_also_after_a_reload_and_further_training(quantized, tmp_path: Path) -> None:
    save_quantized(quantized, tmp_path)
    file = int8_file(train(load_quantized(tmp_path).model, epochs=1))
    assert file.float_operators == []
    assert {kernel.operator for kernel in file.kernels} == {
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "FULLY_CONNECTED",
        "TRANSPOSE_CONV",
    }
    assert min(kernel.sparsity for kernel in file.kernels) >= 0.59
    assert file.accuracy() > 0.65


def test_without_the_trait_zeros_are_weights_like_others(tmp_path: Path) -> None:
    stage = qat(epochs=1)
    pruned = prune_by_magnitude(inner_relu_model(), 0.6)
    dense = quantize_aware_train(pruned, stage, stage, qat_context(tmp_path)).model
    assert least_sparsity(dense.float_model) < 0.3


def _cluster(model: tf_keras.Model, clusters: int) -> tf_keras.Model:
    """Gives the weights of every channel of a convolution only a few values, of which the middle one is zero."""
    for layer in model.layers:
        if isinstance(layer, tf_keras.layers.Conv2D):
            kernel = layer.kernel.numpy()
            for number, channel in enumerate(np.moveaxis(kernel, -1, 0)):
                # tfmot's own quantizer makes new values where channels differ in how many they have.
                count = clusters if number else 3
                for index, group in enumerate(np.array_split(np.argsort(channel, axis=None), count)):
                    np.put(channel, group, 0 if index == count // 2 else channel.flat[group].mean())
            layer.kernel.assign(kernel)
    return model


def _most_unique(file) -> int:
    return max(
        len(np.unique(channel))
        for kernel, values in zip(file.kernels, file.values, strict=True)
        for channel in (values if kernel.operator == "CONV_2D" else ())
    )


@pytest.fixture(scope="module")
def clustered() -> tf_keras.Model:
    return _cluster(train(inner_relu_model(), epochs=4), 5)


@pytest.mark.parametrize("traits", [("clustered",), ("clustered", "sparse")])
def test_clusters_stay(traits, clustered, tmp_path: Path) -> None:
    model = clustered
    stage = qat(epochs=2)
    quantized = quantize_aware_train(model, stage, stage, qat_context(tmp_path, *traits)).model
    file = int8_file(quantized.model)
    assert _most_unique(file) <= 5
    assert len(np.unique(quantized.float_model.get_layer("second").kernel.numpy()[..., 0])) == 3
    assert file.float_operators == []
    if "sparse" in traits:
        for before, after in zip(model.trainable_variables, quantized.float_model.trainable_variables, strict=True):
            assert before.shape.rank < 2 or not (after.numpy()[before.numpy() == 0]).any(), before.name
        folder = tmp_path / "stored"
        folder.mkdir()
        save_quantized(quantized, folder)
        assert _most_unique(int8_file(train(load_quantized(folder).model, epochs=1))) <= 5
