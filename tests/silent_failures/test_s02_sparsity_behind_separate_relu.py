"""S2: a pruned kernel in front of a ReLU layer is dense in the file, in spite of tfmot's sparsity-preserving scheme."""

from __future__ import annotations

from pathlib import Path

import pytest
from tensorflow_model_optimization.quantization import keras as tfmot

from tests.support.contexts import qat, qat_context
from tests.support.files import int8_file, naive_file
from tests.support.models import accuracy, least_sparsity, prune_by_magnitude, separate_relu_model, train
from tfopt.backend.stages.qat import quantize_aware_train

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def pruned():
    return prune_by_magnitude(train(separate_relu_model(), epochs=5), 0.75)


@pytest.mark.slow
def test_naive_loses_the_sparsity(pruned) -> None:
    scheme = tfmot.collab_opts.Default8BitPrunePreserveQuantizeScheme()
    model = tfmot.quantize_apply(tfmot.quantize_annotate_model(pruned), scheme)
    kernels = naive_file(train(model, epochs=2)).kernels
    assert max(kernel.sparsity for kernel in kernels[:3]) < 0.5


def test_tfopt_keeps_it_in_model_and_file(pruned, tmp_path: Path) -> None:
    stage = qat(epochs=4)
    quantized = quantize_aware_train(pruned, stage, stage, qat_context(tmp_path, "sparse")).model
    file = int8_file(quantized.model)
    assert min(kernel.sparsity for kernel in file.kernels) >= 0.745
    assert least_sparsity(quantized.float_model) >= 0.745
    assert file.float_operators == []
    assert file.accuracy() > 0.65
    assert abs(file.accuracy() - accuracy(quantized.model)) < 0.06
