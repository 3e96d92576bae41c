"""Waiting for a metric to improve: what early stopping and reduce-on-plateau have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tfopt.errors import StageError


@dataclass(frozen=True)
class MetricMonitor:
    """Best value of a metric over the epochs; each epoch gives a new monitor.

    Args:
        best: the best value so far; None before the first epoch that counts.
        best_epoch: the epoch (1-based) of that value.
        wait: epochs since then.
    """

    best: float | None = None
    best_epoch: int = 0
    wait: int = 0

    def after(self, epoch: int, value: float, higher_is_better: bool, min_delta: float) -> MetricMonitor:
        """The monitor after one more epoch."""
        gain = 0.0 if self.best is None else (value - self.best if higher_is_better else self.best - value)
        if self.best is None or gain > min_delta:
            return MetricMonitor(value, epoch, 0)
        return replace(self, wait=self.wait + 1)

    def reset(self) -> MetricMonitor:
        """The same best value, with the full patience again."""
        return replace(self, wait=0)


def monitored(monitor: str, entry: Mapping[str, float], key: str) -> float:
    """The value of the monitored metric in a history entry.

    Raises:
        StageError: the history has no such key.
    """
    if monitor not in entry:
        choices = ", ".join(name for name in entry if name not in ("epoch", "step", "seconds", "learning_rate"))
        raise StageError(
            f"{key}.monitor names {monitor!r}, which is not measured. Choose one of: {choices}.", code="unknown_metric"
        )
    return entry[monitor]
