"""Perplexity and bits per character against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from tfopt.backend.training.measure import measure
from tfopt.core.config.training.compile import Compile
from tfopt.errors import StageError

pytestmark = pytest.mark.tf

LOGITS = np.random.default_rng(0).normal(size=(4, 3, 5)).astype(np.float32)
TARGETS = np.random.default_rng(1).integers(5, size=(4, 3)).astype(np.int32)
SHARES = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=-1, keepdims=True)
NATS = -np.log(np.take_along_axis(SHARES, TARGETS[..., None], -1)[..., 0])


def compiled(*metrics: object, **loss: object) -> Compile:
    return Compile.model_validate(
        {"loss": {"name": "sparse_categorical_crossentropy", **loss}, "metrics": list(metrics)}
    )


def test_perplexity_and_bits_per_character() -> None:
    metrics = ("perplexity", {"name": "bits_per_character", "tokens_per_character": 0.25})
    for outputs, loss in ((LOGITS, {"from_logits": True}), (SHARES, {})):
        found = measure(outputs, TARGETS, compiled(*metrics, **loss))
        assert found["perplexity"] == pytest.approx(np.exp(NATS.mean()), rel=1e-5)
        assert found["bits_per_character"] == pytest.approx(NATS.mean() / np.log(2) / 4, rel=1e-5)
        assert found["loss"] == pytest.approx(NATS.mean(), rel=1e-5)


def test_targets_that_the_loss_ignores_do_not_count() -> None:
    targets = TARGETS.copy()
    targets[:, 2], targets[3, 1] = -1, -1
    counts = targets >= 0
    names = ("perplexity", "accuracy", "f1")
    found = measure(LOGITS, targets, compiled(*names, from_logits=True, ignore_class=-1))
    assert found["perplexity"] == pytest.approx(np.exp(NATS[counts].mean()), rel=1e-5)
    assert found["loss"] == pytest.approx(NATS[counts].mean(), rel=1e-5)
    assert found["accuracy"] == pytest.approx((LOGITS.argmax(-1) == TARGETS)[counts].mean())


def test_large_outputs_are_judged_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = TARGETS.copy()
    targets[0, :2] = -1
    asked = compiled("perplexity", "accuracy", from_logits=True, ignore_class=-1)
    whole = measure(LOGITS, targets, asked)
    monkeypatch.setattr("tfopt.backend.training.measure._MOST_BYTES", LOGITS[0].nbytes)
    assert measure(LOGITS, targets, asked) == pytest.approx(whole, rel=1e-6)


def test_tokens_need_a_loss_over_classes() -> None:
    with pytest.raises(Exception, match="sparse_categorical_crossentropy"):
        Compile.model_validate({"loss": "mse", "metrics": ["perplexity"]})
    with pytest.raises(StageError):
        measure(LOGITS, TARGETS[:, :2], compiled("perplexity", from_logits=True))
