"""Saving and loading."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.contexts import qat, qat_context
from tests.support.digits import digit_arrays
from tests.support.models import answers, branchy_model, inner_relu_model
from tfopt.backend.quantization import Quantized, is_quantized, load_quantized, save_quantized
from tfopt.backend.stages.qat import quantize_aware_train
from tfopt.errors import StoreError

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def quantized(tmp_path_factory) -> Quantized:
    model = branchy_model()
    model.get_layer("right").trainable = False
    stage = qat(epochs=1, layers=[{"match": "stem", "skip": True}])
    return quantize_aware_train(model, stage, stage, qat_context(tmp_path_factory.mktemp("plain"))).model


def test_the_same_outputs_after_a_reload(quantized, tmp_path: Path) -> None:
    assert not is_quantized(tmp_path)
    save_quantized(quantized, tmp_path)
    assert is_quantized(tmp_path)
    loaded = load_quantized(tmp_path)
    images = digit_arrays()[0][:200]
    for model in ("model", "float_model"):
        np.testing.assert_array_equal(
            answers(getattr(loaded, model), images), answers(getattr(quantized, model), images)
        )
    assert loaded.quantization == quantized.quantization
    assert loaded.constraints == quantized.constraints
    frozen = [layer.name for layer in loaded.model.layers if not layer.trainable]
    assert frozen == ["quant_right"]
    assert len(loaded.model.trainable_variables) == len(quantized.model.trainable_variables)


@pytest.fixture
def stored(quantized, tmp_path: Path) -> Path:
    save_quantized(quantized, tmp_path)
    return tmp_path


def test_another_format_is_refused(stored: Path) -> None:
    settings = json.loads((stored / "quantization.json").read_text(encoding="utf-8"))
    (stored / "quantization.json").write_text(json.dumps({**settings, "format": 99}), encoding="utf-8")
    with pytest.raises(StoreError, match=r"is of format 99\. Expected 3"):
        load_quantized(stored)


def test_ranges_of_kernels_that_an_older_version_stored_are_left_out(quantized, stored: Path) -> None:
    settings = json.loads((stored / "quantization.json").read_text(encoding="utf-8"))
    (stored / "quantization.json").write_text(json.dumps({**settings, "format": 1}), encoding="utf-8")
    with np.load(stored / "ranges.npz") as ranges:
        old = {"quant_hidden.kernel_min": np.array(-1.0), "quant_depthwise.depthwise_kernel_max": np.ones(4)}
        np.savez(stored / "ranges.npz", **ranges, **old)
    images = digit_arrays()[0][:20]
    np.testing.assert_array_equal(answers(load_quantized(stored).model, images), answers(quantized.model, images))


def test_ranges_of_another_model_are_refused(stored: Path, tmp_path_factory) -> None:
    stage = qat(epochs=1)
    other = quantize_aware_train(inner_relu_model(), stage, stage, qat_context(tmp_path_factory.mktemp("other"))).model
    folder = tmp_path_factory.mktemp("stored")
    save_quantized(other, folder)
    (stored / "ranges.npz").write_bytes((folder / "ranges.npz").read_bytes())
    with pytest.raises(StoreError, match="does not fit the model in the same folder"):
        load_quantized(stored)
