"""The test split never reaches training, early stopping or calibration: poison it, and nothing changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import contexts as workbench
from tfopt.backend.data.load import load
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.models import build as models
from tfopt.core.config.data import Augment, DataConfig
from tfopt.core.contracts.stage import Stage, next_traits
from tfopt.core.recipe.recipe import ModelConfig
from tfopt.stages.prune import Prune
from tfopt.stages.qat import Qat
from tfopt.stages.train import Train

pytestmark = pytest.mark.tf


def chain() -> list[Stage]:
    stop = {"monitor": "val_accuracy", "patience": 1}
    return [
        Train.model_validate({"name": "train", "epochs": 2, "early_stopping": stop, "class_weights": "balanced"}),
        Prune.model_validate(
            {"name": "prune", "epochs": 1, "schedule": {"kind": "constant", "final": "50%", "every": "5 steps"}}
        ),
        Qat.model_validate({"name": "qat", "epochs": 1, "calibration": 64}),
    ]


def run(data: Data, folder: Path, stages: Sequence[Stage]) -> list[list[np.ndarray]]:
    """Weights after every stage."""
    model: Any = models.build(ModelConfig(source="small_cnn", args={"filters": [4], "dense": 0}), data, 1).model
    found, traits = [], frozenset()
    for stage in stages:
        context = workbench.context(folder / stage.name, data=data, augment=Augment(shift="13%"))
        context.work.mkdir(parents=True)
        context.logs.mkdir(parents=True)
        model = stage.apply(model, replace(context, traits=traits)).model
        traits = next_traits(stage, traits)
        # A quantized model holds the calibrated activation ranges among its weights.
        found.append(getattr(model, "model", model).get_weights())
    return found


@pytest.fixture(scope="module")
def clean() -> Data:
    return load(DataConfig(source="digits"))


@pytest.fixture(scope="module")
def clean_weights(clean: Data, tmp_path_factory: pytest.TempPathFactory) -> list[list[np.ndarray]]:
    return run(clean, tmp_path_factory.mktemp("clean"), chain())


def test_a_poisoned_test_split_changes_no_weight_and_no_range(
    clean: Data, clean_weights: list[list[np.ndarray]], tmp_path: Path
) -> None:
    poisoned = replace(clean, test=Split(np.full_like(clean.test.inputs, 1e9), np.zeros_like(clean.test.targets)))
    assert clean.fingerprint != poisoned.fingerprint
    for before, after in zip(clean_weights, run(poisoned, tmp_path, chain()), strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))


def test_ten_changed_training_images_are_noticed(
    clean: Data, clean_weights: list[list[np.ndarray]], tmp_path: Path
) -> None:
    # Without this, the test above could pass by comparing nothing.
    inputs = clean.train.inputs.copy()
    inputs[:10] = 1
    changed = replace(clean, train=Split(inputs, clean.train.targets))
    (after,) = run(changed, tmp_path, chain()[:1])
    assert not all(np.array_equal(one, other) for one, other in zip(clean_weights[0], after, strict=True))
