"""F1 of labels in each form, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from tfopt.backend.training.measure import measure
from tfopt.backend.training.metrics.f1 import F1
from tfopt.core.config.training.compile import Compile
from tfopt.errors import StageError

pytestmark = pytest.mark.tf

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_classes(average: str) -> None:
    labels, outputs = RANDOM.integers(3, size=50), RANDOM.random((50, 4)).astype(np.float32)
    expected = f1_score(labels, outputs.argmax(-1), average=average, zero_division=0)
    metric = {"name": "f1", "average": average}
    one_hot = {"loss": "categorical_crossentropy", "metrics": [metric]}
    for targets, compile in ((labels.astype(np.int32), {"metrics": [metric]}), (np.eye(4)[labels], one_hot)):
        found = measure(
            outputs, targets.astype(np.float32 if targets.ndim == 2 else np.int32), Compile.model_validate(compile)
        )
        assert found["f1"] == pytest.approx(expected)


def test_yes_or_no() -> None:
    labels, outputs = RANDOM.integers(2, size=(50, 1)), RANDOM.normal(size=(50, 1)).astype(np.float32)
    asked = Compile.model_validate({"loss": {"name": "binary_crossentropy", "from_logits": True}, "metrics": ["f1"]})
    found = measure(outputs, labels.astype(np.float32), asked)
    assert found["f1"] == pytest.approx(f1_score(labels[:, 0], outputs[:, 0] > 0))


def test_an_unknown_average_is_refused() -> None:
    asked = Compile.model_validate({"metrics": [{"name": "f1", "average": "best"}]})
    with pytest.raises(StageError, match="macro, micro or weighted"):
        measure(np.ones((2, 2), np.float32), np.array([0, 1], np.int32), asked)


def test_it_begins_again() -> None:
    metric = F1(3, one_per_label=False, threshold=0.5)
    metric.update_state(np.array([0, 1]), np.eye(3, dtype=np.float32)[[0, 2]])
    metric.reset_state()
    assert float(metric.result()) == 0
    metric.update_state(np.array([0, 1]), np.eye(3, dtype=np.float32)[[0, 1]])
    assert float(metric.result()) == 1
