"""Waiting for a metric to improve: what early stopping and reduce-on-plateau have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from tfopt.core.config.keras_names import METRICS
from tfopt.errors import StageError


@dataclass(frozen=True)
class MetricMonitor:
    """What is remembered of a metric over the epochs; each epoch gives a new one.

    Args:
        best: the best value so far; None before the first epoch that counts.
        best_epoch: the epoch (1-based) it is from.
        waited: epochs since then.
    """

    best: float | None = None
    best_epoch: int = 0
    waited: int = 0

    def after(self, epoch: int, value: float, higher_is_better: bool, min_delta: float) -> MetricMonitor:
        """This watch after one more epoch."""
        gain = 0.0 if self.best is None else (value - self.best if higher_is_better else self.best - value)
        if self.best is None or gain > min_delta:
            return MetricMonitor(value, epoch, 0)
        return replace(self, waited=self.waited + 1)

    def rested(self) -> MetricMonitor:
        """The same watch with its patience back."""
        return replace(self, waited=0)

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def higher_is_better(monitor: str) -> bool:
    """Which way a history key improves."""
    name = monitor.removeprefix("val_")
    return name in METRICS and METRICS[name].higher_is_better


def watched(monitor: str, entry: Mapping[str, float], key: str) -> float:
    """The watched value of an epoch.

    Raises:
        StageError: the history has no such key.
    """
    if monitor not in entry:
        choices = ", ".join(name for name in entry if name not in ("epoch", "step", "seconds", "learning_rate"))
        raise StageError(f"{key}.monitor names {monitor!r}, which is not measured. Choose one of: {choices}.")
    return entry[monitor]
