"""Whether a model is no better than one that always answers the same. Pure.

The agreement of a file with such a model proves little, and no claim says so.
"""

from __future__ import annotations

from tfopt.core.records.report import Report

_ROUNDING = 1e-6
"""Accuracies are computed in float32."""


def constant_warnings(report: Report) -> tuple[str, ...]:
    """A sentence about the accuracy of the last stage, where it is at most the share of the most frequent label.

    A budget on the accuracy of a file says how much is enough; there, nothing is added.

    Args:
        report: of a finished run.
    """
    shares = report.data.most_frequent or {}
    share = next((share for output, share in shares.items() if _is_accuracy(report.metric, output)), None)
    last = next((stage for stage in reversed(report.stages) if report.metric in stage.measures), None)
    if report.run.state != "done" or share is None or last is None:
        return ()
    if any(budget.name == f"{export.name}.{report.metric}" for export in report.exports for budget in report.budgets):
        return ()
    value = last.measures[report.metric]
    if value > share + _ROUNDING:
        return ()
    return (
        f"{report.metric} is {value:.1%} after {last.name}, not above the {share:.1%} of a model that always answers "
        "with the most frequent label: the agreement of files with such a model proves little. Try more epochs or "
        "another learning rate, and look whether inputs and labels belong together.",
    )


def _is_accuracy(metric: str, output: str) -> bool:
    """Whether a metric is an accuracy of an output."""
    of_output = metric.removeprefix(f"{output}_") if output else metric
    return of_output in ("accuracy", "sparse_categorical_accuracy", "categorical_accuracy", "binary_accuracy")
