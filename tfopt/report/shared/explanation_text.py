"""Where the accuracy of a file went, as text for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfopt.report.shared import explanation as rows
from tfopt.report.shared.terminal import heading, indented, plain_text, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tfopt.core.records.explanation import ExplanationRecord, SensitivityTable


def explanation_text(explanation: ExplanationRecord, name: str) -> list[RenderableType]:
    """Changed predictions, classes, errors of layers, sensitivity and advice.

    Args:
        explanation: of a file.
        name: of the file.
    """
    parts: list[RenderableType] = [heading(f"{name} against {explanation.against}")]
    parts += [plain_text(sentence) for sentence in rows.prediction_sentences(explanation)]
    if explanation.shown:
        unjudged = explanation.lost is None
        parts.append(
            table(
                ("example", "truth", "before", "after", "" if unjudged else "the file is"),
                [
                    (str(one.index), one.truth, one.before, one.after, "" if unjudged else _verdict(one.helped))
                    for one in explanation.shown
                ],
                left=(1, 2, 3, 4),
            )
        )
    classes = rows.class_rows(explanation)
    if classes:
        parts += [
            heading("accuracy by class, where it changed"),
            table(
                ("", "examples", "before", "after", "change"),
                [(plain_text(one.name, "bold"), one.examples, one.before, one.after, one.change) for one in classes],
            ),
        ]
    if explanation.layers:
        parts += [heading(f"error of each layer ({explanation.layer_examples} examples)"), _errors(explanation)]
    parts += [plain_text(note, "yellow") for note in explanation.notes]
    if explanation.sensitivity is not None:
        parts += sensitivity_text(explanation.sensitivity)
    return parts


def sensitivity_text(found: SensitivityTable) -> list[RenderableType]:
    """One layer at a time, and the advice."""
    parts: list[RenderableType] = [
        heading("one layer at a time"),
        table(
            ("", "type", f"{found.metric}: only it quantized", "error", "only it in float", "error", "size"),
            [
                (
                    plain_text(row.layer, "bold"),
                    row.kind,
                    row.alone,
                    row.alone_error,
                    row.in_float,
                    row.in_float_error,
                    row.bytes,
                )
                for row in rows.sensitivity_rows(found)
            ],
            left=(0, 1),
        ),
    ]
    parts += [plain_text(sentence) for sentence in rows.table_sentences(found)]
    if found.advice is not None:
        parts += [heading("advice"), *advice_text(found)]
    return parts


def advice_text(found: SensitivityTable) -> list[RenderableType]:
    """Which layers to keep in float, as sentences and as rules to paste; nothing without advice."""
    if found.advice is None:
        return []
    parts: list[RenderableType] = [
        plain_text(sentence) for sentence in rows.advice_sentences(found.advice, found.metric)
    ]
    return [*parts, indented(found.advice.rules)] if found.advice.rules else parts


def _errors(explanation: ExplanationRecord) -> RenderableType:
    return table(
        ("", "type", "SQNR", "cosine", "largest", "of its range"),
        [
            (
                plain_text(row.layer, "bold yellow" if row.worst else "bold"),
                row.kind,
                row.sqnr,
                row.cosine,
                row.max_error,
                row.share,
            )
            for row in rows.error_rows(explanation.layers)
        ],
        left=(0, 1),
    )


def _verdict(helped: bool | None) -> str:
    return "wrong, too" if helped is None else "right" if helped else "wrong"
