"""Where the accuracy of a file went, as rows and sentences: what the terminal, pages and notebooks show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfopt.core.language.wording import counted
from tfopt.report.shared import formats

if TYPE_CHECKING:
    from tfopt.core.records.explanation import (
        AdviceRecord,
        ClassRecord,
        EffectRecord,
        ExplanationRecord,
        LayerErrorRecord,
        SensitivityTable,
    )

_CLASSES = 10


@dataclass(frozen=True)
class ErrorRow:
    """The error of one layer.

    Args:
        layer: its name.
        kind: its type.
        sqnr: in dB; `exact` where nothing differs.
        cosine: of the two outputs.
        max_error: largest absolute difference.
        share: relative error, in percent of the range.
        worst: whether the most error arises here.
    """

    layer: str
    kind: str
    sqnr: str
    cosine: str
    max_error: str
    share: str
    worst: bool


@dataclass(frozen=True)
class SensitivityRow:
    """One layer at a time.

    Args:
        layer: its name.
        kind: its type.
        alone: change of the metric, against the Keras model, with only this layer quantized.
        alone_error: error of the outputs then.
        in_float: change of the metric, against the file, with only this layer in float.
        in_float_error: error of the outputs then.
        bytes: what the file grows by.
    """

    layer: str
    kind: str
    alone: str
    alone_error: str
    in_float: str
    in_float_error: str
    bytes: str


@dataclass(frozen=True)
class ClassRow:
    """One class before and after: texts."""

    name: str
    examples: str
    before: str
    after: str
    change: str
    worse: bool


def error_rows(errors: list[LayerErrorRecord]) -> list[ErrorRow]:
    """Errors of layers in the order of the network."""
    worst = max(errors, key=lambda error: error.arising, default=None)
    return [
        ErrorRow(
            layer=error.layer,
            kind=error.type,
            sqnr="exact" if error.max_error == 0 else "–" if error.sqnr_db is None else f"{error.sqnr_db:.1f} dB",
            cosine="–" if error.cosine is None else f"{error.cosine:.5f}",
            max_error=formats.number(error.max_error),
            share=formats.percent(error.relative_error, 2),
            worst=error is worst and error.arising > 0,
        )
        for error in errors
    ]


def sensitivity_rows(table: SensitivityTable) -> list[SensitivityRow]:
    """One row per layer whose quantization makes any difference, the one that gives back most first."""
    rows = []
    for row in table.layers:
        nothing = row.in_float is not None and row.in_float.error == table.file.error
        if nothing and row.alone is not None and row.alone.error <= table.file.error / 100:
            continue
        rows.append(
            SensitivityRow(
                layer=row.layer,
                kind=row.type,
                alone=_change(table.metric, row.alone, table.model),
                alone_error=_error(row.alone),
                in_float=_change(table.metric, row.in_float, table.file.metric),
                in_float_error=_error(row.in_float),
                bytes="–" if row.in_float is None else _growth(row.in_float.bytes - table.file.bytes),
            )
        )
    return rows


def class_rows(explanation: ExplanationRecord) -> list[ClassRow]:
    """The classes whose accuracy changed, the largest loss first; at most ten."""
    changed = [one for one in explanation.classes if one.before != one.after]
    changed.sort(key=lambda one: one.after - one.before)
    return [_class_row(one) for one in changed[:_CLASSES]]


def prediction_sentences(explanation: ExplanationRecord) -> list[str]:
    """How many predictions changed, and which class lost most."""
    total = formats.count(explanation.examples)
    if explanation.changed is None:
        if not explanation.shown:
            return []
        return [f"The examples whose outputs differ most from those of {explanation.against}:"]
    if not explanation.changed:
        return [f"All {total} predictions on the {explanation.split} split equal those of {explanation.against}."]
    sentence = (
        f"{formats.count(explanation.changed)} of {total} predictions on the {explanation.split} split differ from "
        f"those of {explanation.against}"
    )
    if explanation.gained is not None and explanation.lost is not None:
        neither = explanation.changed - explanation.gained - explanation.lost
        sentence += f": {explanation.lost} lost, {explanation.gained} gained"
        sentence += f", {neither} wrong before and after" if neither > 0 else ""
    return [f"{sentence}.", *_worst_class(explanation)]


def summary(explanation: ExplanationRecord) -> str:
    """A few words on the predictions, for a title."""
    if explanation.changed is None:
        same = "see the notes" if explanation.notes else "no difference found"
        return "outputs that differ most" if explanation.shown else same
    changed = f"{formats.count(explanation.changed)} of {formats.count(explanation.examples)} predictions changed"
    return changed if explanation.changed else "no prediction changed"


def table_sentences(table: SensitivityTable) -> list[str]:
    """What a sensitivity table was measured on."""
    sentences = [
        f"Measured on {counted(table.examples, 'example')} of the {table.split} split: {formats.spaced(table.metric)} "
        f"{formats.measure(table.metric, table.model)} for the model in float, "
        f"{formats.measure(table.metric, table.file.metric)} for the file. Error: root mean square of the difference "
        f"to the model's outputs, over their standard deviation; {_error(table.file)} for the file."
    ]
    if table.weights == "file":
        sentences.append("No float weights are known: a layer in float computes with the rounded weights of the file.")
    if table.left_out:
        sentences.append(
            f"{counted(len(table.left_out), 'layer')} with less error inside the file were not measured: "
            f"{', '.join(table.left_out[:6])}{', …' if len(table.left_out) > 6 else ''}."
        )
    failed = [row for row in table.layers if row.reason]
    sentences += [f"{row.layer}: {row.reason}" for row in failed]
    return sentences


def advice_sentences(advice: AdviceRecord, metric: str) -> list[str]:
    """What to do, without the rules themselves."""
    if not advice.layers:
        if advice.reached:
            return [f"No layer needs to stay in float: the file reaches {advice.target}."]
        best = "" if advice.predicted is None else f" ({_effect(advice.predicted, metric)})"
        return [f"No set of layers in float was found that reaches {advice.target}: {advice.reason}{best}."]
    kept = f"Keep {counted(len(advice.layers), 'layer')} in float to reach {advice.target}."
    sentences = [kept]
    if advice.predicted is not None:
        sentences.append(f"Predicted: {_effect(advice.predicted, metric)}.")
    if advice.measured is not None:
        verdict = "reached" if advice.reached else "NOT reached"
        sentences.append(f"Measured with a file made so: {_effect(advice.measured, metric)}; {verdict}.")
    elif advice.reason:
        sentences.append(f"Not measured: {advice.reason}.")
    return sentences


def _effect(effect: EffectRecord, metric: str) -> str:
    parts = [f"{formats.spaced(metric)} {formats.measure(metric, effect.metric)}"]
    if effect.agreement is not None:
        parts.append(f"agreement {formats.percent(effect.agreement)}")
    return ", ".join([*parts, f"error {_error(effect)}", formats.size(effect.bytes)])


def _change(metric: str, effect: EffectRecord | None, base: float) -> str:
    if effect is None:
        return "–"
    change = effect.metric - base
    if abs(change) < 1e-9:
        return "0"
    if formats.is_fraction(metric):
        return f"{100 * change:+.1f} points"
    return f"{change:+.4g}"


def _error(effect: EffectRecord | None) -> str:
    return "–" if effect is None else formats.percent(effect.error, 2)


def _growth(change: int) -> str:
    return "0 B" if change == 0 else f"{'+' if change > 0 else '−'}{formats.size(abs(change))}"


def _class_row(one: ClassRecord) -> ClassRow:
    return ClassRow(
        name=str(one.label) if one.name is None else one.name,
        examples=formats.count(one.examples),
        before=formats.percent(one.before),
        after=formats.percent(one.after),
        change=f"{100 * (one.after - one.before):+.1f} points",
        worse=one.after < one.before,
    )


def _worst_class(explanation: ExplanationRecord) -> Iterator[str]:
    rows = class_rows(explanation)
    if rows and rows[0].worse:
        yield f"Class {rows[0].name} loses most: {rows[0].before} to {rows[0].after}."
