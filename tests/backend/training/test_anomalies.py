"""The area under the ROC curve of reproduction errors, against scikit-learn."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score

from tfopt.backend.data.splits import Split
from tfopt.backend.training.anomalies import anomaly_measures, to_be_reproduced


def test_the_area_is_that_of_scikit_learn_also_with_equal_errors() -> None:
    random = np.random.RandomState(0)
    inputs = random.rand(60, 4, 2).astype(np.float32)
    anomalies = random.rand(60) < 0.3
    outputs = inputs + np.round(random.rand(60, 1, 1) + 0.3 * anomalies[:, None, None], 1).astype(np.float32)
    found = anomaly_measures(outputs, Split(inputs, inputs, anomalies))["anomaly_auc"]
    errors = np.square(outputs.astype(np.float64) - inputs).reshape(60, -1).mean(axis=1)
    assert np.isclose(found, roc_auc_score(anomalies, errors))
    assert 0.55 < found < 0.95


def test_nothing_is_said_without_known_anomalies() -> None:
    inputs = np.zeros((5, 3), np.float32)
    assert anomaly_measures(inputs, Split(inputs, inputs)) == {}


def test_metrics_are_those_of_normal_examples_where_a_model_reproduces_its_input() -> None:
    inputs = np.arange(8, dtype=np.float32).reshape(4, 2)
    anomalies = np.array([False, True, False, False])
    weights = np.array([1, 2, 3, 4], np.float32)
    outputs, targets, kept = to_be_reproduced(inputs + 1, inputs, Split(inputs, inputs, anomalies, weights=weights))
    assert isinstance(kept, np.ndarray)
    assert kept.tolist() == [1, 3, 4]
    assert targets.tolist() == [[0, 1], [4, 5], [6, 7]]
    assert (outputs - targets == 1).all()
    other = Split(inputs, inputs.copy(), anomalies)
    assert len(to_be_reproduced(inputs, inputs, other)[0]) == 4
    assert anomaly_measures(inputs, other) == {}
