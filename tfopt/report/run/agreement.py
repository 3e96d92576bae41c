"""What the measure `agreement` of a report is: a share of equal predictions, or a difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfopt.core.config.training.keras_names import OF_TOKENS
from tfopt.report.shared import formats

if TYPE_CHECKING:
    from tfopt.core.records.report import Report


def agreement_is_share(report: Report) -> bool:
    """Whether `agreement` is a share of equal predictions; for regression it is the largest difference."""
    if any("relative_error" in export.measures for export in report.exports):
        return False
    if any(claim.code for export in report.exports for claim in export.claims):
        return True
    # Reports of version 0.1.0 have neither codes nor relative errors; there, the name of the metric tells.
    return formats.is_fraction(report.metric) or report.metric.endswith(OF_TOKENS)
