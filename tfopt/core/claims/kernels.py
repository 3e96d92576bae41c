"""The claim that a file runs on all kernels of LiteRT, with the same outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tfopt.core.claims.agreement import OutputComparison, broken_claim
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.records.report import ClaimRecord

_CLOSE_CALLS = 2
_MOST_STEPS = 2.0
"""Right kernels that get the same inputs differ by a step, or two where they compute in parts."""
_NAMED = 3

KERNELS: Mapping[str, str] = {
    "default": "XNNPACK",
    "builtin": "the built-in kernels",
    "reference": "the reference kernels",
    "float_blocks": "the reference kernels with the same weights in float32",
}
"""What reports call them."""

_ONLY_XNNPACK = "; only XNNPACK knows weights in blocks, the other kernels give wrong outputs for this file"

KNOWN_FAULTS: Mapping[tuple[str, str, str], str] = {
    ("SUM", "int8", "reference"): "the reference kernel of SUM is wrong in int8, XNNPACK and the built-in one agree",
    ("SUM", "int16", "reference"): "the reference kernel of SUM is wrong in int16, XNNPACK and the built-in one agree",
}
"""Kernels of LiteRT that are wrong, by operator, dtype of the result and kernels. Measured: SUM over any axes is up to
121 of 255 steps off in int8, and off by two standard deviations in int16
(`tests/backend/tflite/test_kernel_differences.py`)."""


@dataclass(frozen=True)
class Parting:
    """An operator on which kernels give different results for the same inputs.

    Args:
        operator: TFLite's name of it.
        dtype: of its result.
        layer: the Keras layer, where that is known.
        to_default: by kernels, largest difference to XNNPACK in steps of the result's scale.
        others: largest difference between the built-in and the reference kernels, in steps.
    """

    operator: str
    dtype: str
    layer: str | None
    to_default: Mapping[str, float]
    others: float

    @property
    def steps(self) -> float:
        """Largest difference between any two kernels."""
        return max([*self.to_default.values(), self.others], default=0.0)

    @property
    def parts(self) -> bool:
        """Whether the kernels differ by more than rounding."""
        return not self.steps <= _MOST_STEPS

    @property
    def odd(self) -> str | None:
        """The kernels that differ from both others, which agree; None where that is not known."""
        close = {kernels: steps <= _MOST_STEPS for kernels, steps in self.to_default.items()}
        if set(close) != {"builtin", "reference"}:
            return None
        agreeing = (close["builtin"], close["reference"], self.others <= _MOST_STEPS)
        return {
            (True, False, False): "reference",
            (False, True, False): "builtin",
            (False, False, True): "default",
        }.get(agreeing)

    @property
    def known_fault(self) -> str | None:
        """What is known to be wrong in LiteRT, where the difference is due to that."""
        odd = self.odd
        return KNOWN_FAULTS.get((self.operator, self.dtype, odd)) if odd is not None else None

    def __str__(self) -> str:
        layer = f" (layer {self.layer})" if self.layer else ""
        odd = f"; only {KERNELS[self.odd]} give that" if self.odd else ""
        return f"{self.operator}{layer}, by up to {self.steps:.4g} steps on the same inputs{odd}"


@dataclass(frozen=True)
class RuntimeCheck:
    """How a `.tflite` file ran on each kind of kernels.

    Args:
        xnnpack_error: why it does not run on XNNPACK, LiteRT's default; None where it does.
        reference_error: why it does not run on the reference kernels, nor on the built-in ones where those lack an
            operator; None where it does.
        agreement: outputs on XNNPACK compared with the Keras model's, on the full test split: one comparison for each
            output; none where the file did not run.
        kernels: outputs on other kernels compared with those on XNNPACK; of several, the first that is not equal
            enough.
        compared_on: which other kernels those are.
            For a file with weights in blocks, which only XNNPACK knows, its copy with these in float32 is run.
        lacking: operators that LiteRT's reference kernels do not have, so that the built-in ones are compared.
        operators: where the outputs differ, how far the kernels of each operator are apart; None where that is not
            known.
        builtin: outputs on the built-in kernels compared with those on XNNPACK; of sparse files only.
        builtin_error: why a sparse file does not run on the built-in kernels; None where it does.
        not_numbers: kernels on which a sparse file returns NaN.
    """

    xnnpack_error: str | None = None
    reference_error: str | None = None
    agreement: tuple[OutputComparison, ...] = ()
    kernels: OutputComparison | None = None
    compared_on: str = "reference"
    lacking: tuple[str, ...] = ()
    operators: Sequence[Parting] | None = None
    builtin: OutputComparison | None = None
    builtin_error: str | None = None
    not_numbers: tuple[str, ...] = ()


def kernels_agree(variant: Variant, comparison: OutputComparison) -> bool:
    """Whether outputs on other kernels are those on XNNPACK.

    Few examples go through the slow reference kernels: two close calls among them are not evidence of a defect.
    """
    least = min(variant.least_agreement(), 1 - _CLOSE_CALLS / max(comparison.examples, _CLOSE_CALLS))
    return comparison.reaches(least, variant.most_relative_error())


def kernels_claim(variant: Variant, runtime: RuntimeCheck) -> ClaimRecord:
    """The claim that a file runs on XNNPACK and on other kernels, with the same outputs."""
    other = KERNELS[runtime.compared_on].removeprefix("the ")
    claim = f"runs on XNNPACK and on the {other}, with the same outputs"
    lacks = f"; LiteRT's reference kernels lack {', '.join(runtime.lacking)}" if runtime.lacking else ""
    lacks += _ONLY_XNNPACK if runtime.compared_on == "float_blocks" else ""
    errors = [
        f"{kernels}: {error}"
        for kernels, error in (("XNNPACK", runtime.xnnpack_error), (other, runtime.reference_error))
        if error is not None
    ]
    if errors:
        return broken_claim(claim, "; ".join(errors) + lacks, code="runs_on_kernels")
    if runtime.kernels is None:
        return broken_claim(claim, "the outputs were not compared", code="runs_on_kernels")
    equal = "equal predictions" if runtime.kernels.share is not None else "outputs"
    found = f"{equal}: {runtime.kernels}"
    if kernels_agree(variant, runtime.kernels):
        held, reason = True, ""
    else:
        held, reason = _disagreement(runtime.operators)
    reason += _known(runtime.operators or ()) if runtime.compared_on != "reference" else ""
    return ClaimRecord(claim=claim, held=held, found=found + reason + lacks, code="runs_on_kernels")


def _known(operators: Sequence[Parting]) -> str:
    """The known faults that made the reference kernels unfit for the comparison."""
    faults = [f"{one} ({one.known_fault})" for one in operators if one.parts and one.known_fault]
    return f"; a known fault of LiteRT: {'; '.join(faults[:_NAMED])}" if faults else ""


def _disagreement(operators: Sequence[Parting] | None) -> tuple[bool, str]:
    """Whether outputs that differ are right all the same, and why they differ."""
    if operators is None:
        return False, ""
    parting = [one for one in operators if one.parts and not one.known_fault]
    if not parting:
        most = max((one.steps for one in operators), default=0.0)
        return True, (
            f"; on the same inputs, no operator differs by more than {most:.4g} steps between kernels: the difference "
            "is rounding that adds up over the layers"
        )
    more = f" and {len(parting) - _NAMED} more" if len(parting) > _NAMED else ""
    return False, f"; the kernels part at {'; '.join(str(one) for one in parting[:_NAMED])}{more}"
