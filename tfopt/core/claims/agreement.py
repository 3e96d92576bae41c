"""The claims that a file and its model give the same outputs, on all kernels."""

from __future__ import annotations

from dataclasses import dataclass

from tfopt.core.config.tflite_variant import Variant
from tfopt.core.records.report import ClaimRecord

_CLOSE_CALLS = 2


@dataclass(frozen=True)
class OutputComparison:
    """Outputs of a file compared with those of its model.

    Args:
        examples: number of examples compared.
        share: share of equal predictions (classification), else None.
        difference: largest absolute difference (regression), else None.
        spread: largest minus smallest expected output, in the output's own unit (regression).
    """

    examples: int
    share: float | None = None
    difference: float | None = None
    spread: float = 0.0

    @property
    def value(self) -> float:
        """The measure `agreement` of reports."""
        return self.share if self.share is not None else self.difference if self.difference is not None else 0.0

    def reaches(self, least: float) -> bool:
        """Whether enough predictions are equal; for regression, whether no output differs by over `1 - least` of the
        range."""
        if self.share is not None:
            return self.share >= least
        return self.difference is not None and self.difference <= (1 - least) * self.spread

    def __str__(self) -> str:
        if self.share is not None:
            return f"{self.share:.2%} of {self.examples:,} examples"
        return (
            f"largest difference {self.difference:.4g}, range of outputs {self.spread:.4g}, {self.examples:,} examples"
        )


@dataclass(frozen=True)
class RuntimeCheck:
    """How a `.tflite` file ran on both kinds of kernels.

    Args:
        xnnpack_error: why it does not run on XNNPACK, LiteRT's default; None where it does.
        reference_error: why it does not run on the reference kernels; None where it does.
        agreement: outputs on XNNPACK compared with the Keras model's, on the full test split.
        kernels: outputs on the reference kernels compared with those on XNNPACK.
    """

    xnnpack_error: str | None = None
    reference_error: str | None = None
    agreement: OutputComparison | None = None
    kernels: OutputComparison | None = None


def broken_claim(claim: str, found: str, code: str) -> ClaimRecord:
    """A claim that does not hold, e.g. of a file that could not be made."""
    return ClaimRecord(claim=claim, held=False, found=found, code=code)


def agreement_claim(least: float, comparison: OutputComparison | None, source: str = "the Keras model") -> ClaimRecord:
    """The claim that a file gives the outputs of the model it was made from.

    Args:
        least: least share of equal predictions; for regression, one minus the tolerated share of the output range.
        comparison: what was measured; None where the file did not run.
        source: the model it is compared with.
    """
    regression = comparison is not None and comparison.share is None
    claim = (
        f"outputs within {1 - least:.4g} of the output range of {source}'s"
        if regression
        else f"same predictions as {source} on at least {least:.4g} of the test examples"
    )
    if comparison is None:
        return broken_claim(claim, "the file did not run", code="same_outputs")
    return ClaimRecord(claim=claim, held=comparison.reaches(least), found=str(comparison), code="same_outputs")


def kernels_claim(variant: Variant, runtime: RuntimeCheck) -> ClaimRecord:
    claim = "runs on XNNPACK and on the reference kernels, with the same outputs"
    errors = [
        f"{kernels}: {error}"
        for kernels, error in (
            ("XNNPACK", runtime.xnnpack_error),
            ("reference kernels", runtime.reference_error),
        )
        if error is not None
    ]
    if errors:
        return broken_claim(claim, "; ".join(errors), code="runs_on_kernels")
    if runtime.kernels is None:
        return broken_claim(claim, "the outputs were not compared", code="runs_on_kernels")
    # Few examples go through the slow reference kernels: two close calls among them are not evidence of a defect.
    least = min(variant.least_agreement(), 1 - _CLOSE_CALLS / max(runtime.kernels.examples, _CLOSE_CALLS))
    held = runtime.kernels.reaches(variant.least_agreement() if runtime.kernels.share is None else least)
    return ClaimRecord(claim=claim, held=held, found=f"equal predictions: {runtime.kernels}", code="runs_on_kernels")
