"""S3: a pruned QAT model that is saved, loaded and trained further loses its sparsity."""

from __future__ import annotations

from pathlib import Path

import pytest
import tf_keras
from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.prune_preserve import (
    prune_preserve_quantize_registry as tfmot_sparsity,
)
from tensorflow_model_optimization.quantization import keras as tfmot

from tests.support.contexts import qat, qat_context
from tests.support.files import int8_file
from tests.support.models import accuracy, inner_relu_model, prune_by_magnitude, train
from tfopt.backend.quantization import load_quantized, save_quantized
from tfopt.backend.stages.qat import quantize_aware_train

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def pruned():
    return prune_by_magnitude(train(inner_relu_model(), epochs=5), 0.75)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file:UserWarning")
def test_naive_loses_the_sparsity(pruned, tmp_path: Path) -> None:
    scheme = tfmot.collab_opts.Default8BitPrunePreserveQuantizeScheme()
    model = train(tfmot.quantize_apply(tfmot.quantize_annotate_model(pruned), scheme), epochs=1)
    before = [kernel.sparsity for kernel in int8_file(model).kernels]
    model.save(tmp_path / "model.h5")
    with tfmot.quantize_scope(vars(tfmot_sparsity)):
        loaded = tf_keras.models.load_model(tmp_path / "model.h5")
    assert accuracy(loaded) == pytest.approx(accuracy(model), abs=0.01)
    after = [kernel.sparsity for kernel in int8_file(train(loaded, epochs=1)).kernels]
    assert min(before) >= 0.745
    assert max(after) < 0.6


def test_tfopt_keeps_it(pruned, tmp_path: Path) -> None:
    stage = qat(epochs=1)
    quantized = quantize_aware_train(pruned, stage, stage, qat_context(tmp_path, "sparse")).model
    folder = tmp_path / "stored"
    folder.mkdir()
    save_quantized(quantized, folder)
    loaded = load_quantized(folder)
    kernels = int8_file(train(loaded.model, epochs=1)).kernels
    assert min(kernel.sparsity for kernel in kernels) >= 0.745
