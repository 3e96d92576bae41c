"""The claim that a file and its model give the same outputs."""

from __future__ import annotations

from dataclasses import dataclass

from tfopt.core.language.wording import counted
from tfopt.core.records.report import ClaimRecord


@dataclass(frozen=True)
class OutputComparison:
    """Outputs of a file compared with those of its model.

    Args:
        examples: number of examples compared.
        share: share of equal predictions (classification), else None.
        difference: largest absolute difference (regression), else None.
        spread: largest minus smallest expected output, in the output's own unit (regression).
        relative_error: root mean square of the error over the standard deviation of the expected outputs (regression);
            of the worst output where several are judged by themselves.
        worst: which output that is; empty where there is one.
        predictions: number of predictions compared, of which a sequence has several; None where each example has one.
        output: which output it is of; empty where the model has one.
    """

    examples: int
    share: float | None = None
    difference: float | None = None
    spread: float = 0.0
    relative_error: float | None = None
    worst: str = ""
    predictions: int | None = None
    output: str = ""

    @property
    def several_per_example(self) -> bool:
        """Whether examples have several predictions: the tokens of a sequence, the labels of an example."""
        return self.predictions is not None and self.predictions != self.examples

    @property
    def value(self) -> float:
        """The measure `agreement` of reports."""
        return self.share if self.share is not None else self.difference if self.difference is not None else 0.0

    def measures(self) -> dict[str, float]:
        """The measures of reports."""
        error = {} if self.relative_error is None else {"relative_error": self.relative_error}
        if not self.output:
            return {"agreement": self.value, **error}
        # Of several outputs, `agreement` is always a share: quantities have their error only.
        own = error or {"agreement": self.value}
        return {f"{self.output}_{name}": value for name, value in own.items()}

    def reaches(self, least: float, most_error: float | None = None) -> bool:
        """Whether enough predictions are equal; for regression, whether the error is small enough against the signal.

        Args:
            least: share of equal predictions.
            most_error: relative error; without it, what is missing of `least`.
        """
        if self.share is not None:
            return self.share >= least
        return self.relative_error is not None and self.relative_error <= _tolerated(least, most_error)

    def __str__(self) -> str:
        return f"{self.output}: {self._values()}" if self.output else self._values()

    def _values(self) -> str:
        if self.share is not None and self.predictions is not None and self.several_per_example:
            predictions = counted(self.predictions, "prediction")
            return f"{self.share:.2%} of {predictions} in {counted(self.examples, 'example')}"
        if self.share is not None:
            return f"{self.share:.2%} of {counted(self.examples, 'example')}"
        error = "unknown" if self.relative_error is None else f"{self.relative_error:.2%}"
        of = f" of {self.worst}, the worst" if self.worst else ""
        return (
            f"error{of}: {error} of the standard deviation; largest difference {self.difference:.4g}, range of outputs "
            f"{self.spread:.4g}, {counted(self.examples, 'example')}"
        )


def _tolerated(least: float, most_error: float | None) -> float:
    return 1 - least if most_error is None else most_error


def broken_claim(claim: str, found: str, code: str) -> ClaimRecord:
    """A claim that does not hold, e.g. of a file that could not be made."""
    return ClaimRecord(claim=claim, held=False, found=found, code=code)


def agreement_claim(
    least: float,
    comparison: OutputComparison | None,
    source: str = "the Keras model",
    most_error: float | None = None,
) -> ClaimRecord:
    """The claim that a file gives the outputs of the model it was made from.

    Args:
        least: least share of equal predictions.
        comparison: what was measured; None where the file did not run.
        source: the model it is compared with.
        most_error: for regression, the tolerated relative error; without it, what is missing of `least`.
    """
    regression = comparison is not None and comparison.share is None
    claim = (
        f"outputs of {source}, with an error of at most {_tolerated(least, most_error):.4g} of their standard deviation"
        if regression
        else f"same predictions as {source} on at least {least:.4g} of the test examples"
        if comparison is None or not comparison.several_per_example
        else f"same predictions as {source}, at least {least:.4g} of those of all test examples"
    )
    if comparison is None:
        return broken_claim(claim, "the file did not run", code="same_outputs")
    if comparison.output:
        claim = f"{comparison.output}: {claim}"
    held = comparison.reaches(least, most_error)
    return ClaimRecord(claim=claim, held=held, found=str(comparison), code="same_outputs")
