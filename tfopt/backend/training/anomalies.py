"""How well a model that reproduces its input finds anomalies: those are reproduced worse."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.stats import rankdata

from tfopt.backend.data.splits import Split
from tfopt.backend.types import Array, Arrays, ExampleArray

MEASURE = "anomaly_auc"


def anomaly_measures(outputs: Array, split: Split) -> Mapping[str, float]:
    """The area under the ROC curve of the mean squared error, which tells anomalies from normal examples.

    It is the chance that an anomaly has a greater error than a normal example: 1 is perfect, 0.5 is guessing. It needs
    no threshold.

    Args:
        outputs: of a model or a file, (examples, ...).
        split: whose targets the outputs should equal.

    Returns:
        `anomaly_auc`; nothing where anomalies are not known, or all examples or none are anomalies.
    """
    if split.anomalies is None or not _reproduces(outputs, split):
        return {}
    errors = np.square(outputs.astype(np.float64) - np.asarray(split.targets)).reshape(len(outputs), -1).mean(axis=1)
    ranks, anomalies = rankdata(errors), split.anomalies
    count, others = int(anomalies.sum()), int((~anomalies).sum())
    if not count or not others:
        return {}
    above = ranks[anomalies].sum() - count * (count + 1) / 2
    return {MEASURE: float(above / (count * others))}


def to_be_reproduced(outputs: Array, targets: ExampleArray, split: Split) -> tuple[Array, ExampleArray, Arrays | None]:
    """The outputs, targets and sample weights that loss and metrics are of: those of normal examples, where anomalies
    are known.

    That anomalies are reproduced badly is what they are found by; ranges of integer files, which are those of normal
    examples, make it even worse.

    Args:
        outputs: of a model or a file, (examples, ...).
        targets: what they should equal.
        split: with the anomalies.
    """
    if split.anomalies is None or not _reproduces(outputs, split):
        return outputs, targets, split.weights
    weights = split.weights[~split.anomalies] if isinstance(split.weights, np.ndarray) else None
    return outputs[~split.anomalies], targets[~split.anomalies], weights


def _reproduces(outputs: Array, split: Split) -> bool:
    return (
        split.targets is split.inputs and not isinstance(split.targets, dict) and outputs.shape == split.targets.shape
    )
