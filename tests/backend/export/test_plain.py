"""Whether a quantizing stage lost to plain quantization, judged against noise."""

from __future__ import annotations

import numpy as np

from tfopt.backend.export.plain import is_worse, twin_of
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.training.compile import Compile

CLASSES, REGRESSION = Compile(), Compile.model_validate({"loss": "mse", "metrics": ["mae"]})
TARGETS = np.arange(400) % 4


def predictions(num_wrong: int, first: int = 0) -> np.ndarray:
    """One-hot predictions of which `num_wrong` are wrong, from the example `first` on."""
    found = TARGETS.copy()
    found[first : first + num_wrong] += 1
    return np.eye(4, dtype=np.float32)[found % 4]


def test_many_more_errors_are_no_noise() -> None:
    assert is_worse(predictions(60), predictions(4), TARGETS, CLASSES)
    assert not is_worse(predictions(4), predictions(60), TARGETS, CLASSES)


def test_a_few_errors_here_and_there_are_noise() -> None:
    assert not is_worse(predictions(11, first=200), predictions(9), TARGETS, CLASSES)
    assert not is_worse(predictions(5), predictions(5), TARGETS, CLASSES)


def test_for_an_error_metric_larger_is_worse() -> None:
    targets = np.linspace(-1, 1, 400, dtype=np.float32)[:, np.newaxis]
    noise = np.random.default_rng(0).normal(0, 0.1, targets.shape).astype(np.float32)
    assert is_worse(targets + 2 * noise, targets + noise, targets, REGRESSION)
    assert not is_worse(targets + noise, targets + 2 * noise, targets, REGRESSION)
    assert not is_worse(targets + noise, targets + noise[::-1], targets, REGRESSION)


def test_one_example_can_prove_nothing() -> None:
    assert not is_worse(predictions(1)[:1], predictions(0)[:1], TARGETS[:1], CLASSES)


def test_a_file_with_ptq_that_is_made_in_the_same_way_is_the_plain_file() -> None:
    int8 = Variant(quantize="int8", agreement=0.9)
    others = {"other": Variant(quantize="int8", ptq=True, calibration=8), "same": Variant(quantize="int8", ptq=True)}
    assert twin_of(int8, others) == "same"
    assert twin_of(Variant(quantize="int8", io="int8"), others) is None
    assert twin_of(Variant(quantize="dynamic"), {"dynamic": Variant(quantize="dynamic", ptq=True)}) is None
