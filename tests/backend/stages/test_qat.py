"""The whole stage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.contexts import qat, qat_context
from tests.support.files import int8_file
from tests.support.models import accuracy, branchy_model, inner_relu_model, least_sparsity, prune_by_magnitude, train
from tfopt.backend.stages.qat import quantize_aware_train

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def trained():
    return train(branchy_model(), epochs=6)


def test_a_branchy_model_becomes_an_integer_file(trained, tmp_path: Path) -> None:
    events: list = []
    stage = qat(epochs=2, layers=[{"match": "skipped", "skip": True}])
    result = quantize_aware_train(trained, stage, stage, qat_context(tmp_path, events=events))
    quantized = result.model
    file = int8_file(quantized.model)
    assert file.float_operators == []
    assert {kernel.dtype for kernel in file.kernels} == {"int8"}
    assert accuracy(quantized.model) > 0.8
    assert accuracy(quantized.float_model) > 0.8
    assert abs(file.accuracy() - accuracy(quantized.model)) < 0.05
    assert result.skipped == {"skipped": "after training"}
    assert result.details["float_layers"] == {}


def test_an_interrupted_stage_goes_on_where_it_was(tmp_path: Path) -> None:
    """The wrappers are built anew, from the model as it came in; the result is that of an undisturbed stage."""
    model = prune_by_magnitude(inner_relu_model(), 0.5)
    stage = qat(epochs=2)

    def interrupt(event) -> None:
        if event["event"] == "epoch":
            raise KeyboardInterrupt

    disturbed = qat_context(tmp_path / "disturbed", "sparse")
    with pytest.raises(KeyboardInterrupt):
        quantize_aware_train(model, stage, stage, replace(disturbed, emit=interrupt))
    resumed = quantize_aware_train(model, stage, stage, disturbed).model
    whole = quantize_aware_train(model, stage, stage, qat_context(tmp_path / "whole", "sparse")).model
    for one, other in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert least_sparsity(resumed.float_model) >= 0.49
