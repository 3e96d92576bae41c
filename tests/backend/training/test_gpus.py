from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.contexts import context
from tests.support.digits import digits
from tests.support.models import small_model
from tfopt.backend.stages import fit as training
from tfopt.backend.training.evaluate import evaluate
from tfopt.backend.training.gpus import gpus
from tfopt.core.config.training.compile import Compile
from tfopt.stages.train import Train

pytestmark = pytest.mark.tf


@pytest.fixture
def gpu() -> str:
    """A GPU's name; tests that need one are skipped without."""
    if not gpus():
        pytest.skip("TensorFlow finds no GPU on this machine")
    return gpus()[0]


def test_mixed_precision_learns_on_a_gpu(gpu, tmp_path):
    asked = replace(context(tmp_path), precision="mixed_float16")
    model = training.train(small_model(), Train(name="train", epochs=4), asked).model
    assert evaluate(model, digits().test, Compile())["accuracy"] > 0.85, gpu
