"""An explanation with everything in it, and one of a regression."""

from __future__ import annotations

from tfopt.core.records.explanation import (
    AdviceRecord,
    ChangedExample,
    ClassRecord,
    EffectRecord,
    ExplanationRecord,
    LayerErrorRecord,
    SensitivityRecord,
    SensitivityTable,
)

FILE = EffectRecord(metric=0.95, agreement=0.96, error=0.08, bytes=21_000)
BETTER = EffectRecord(metric=0.97, agreement=0.99, error=0.02, bytes=23_000)


def sample_explanation() -> ExplanationRecord:
    """Of a classifier with ten classes."""
    examples = [
        ChangedExample(index=17, truth="eight", before="eight (0.61)", after="three (0.52)", helped=False,
                       picture="data:image/png;base64,AAAA"),
        ChangedExample(index=40, truth="one", before="seven (0.5)", after="one (0.51)", helped=True, text="1 2 3 …"),
    ]  # fmt: skip
    errors = [_error("conv", "Conv2D", 43.1, 0.001, 0.0), _error("logits", "Dense", 31.2, 0.02, 0.001)]
    table = SensitivityTable(
        metric="accuracy",
        split="validation",
        examples=180,
        model=0.975,
        file=FILE,
        layers=[
            SensitivityRecord(layer="logits", type="Dense", operators=1, alone=FILE, in_float=BETTER),
            SensitivityRecord(layer="conv", type="Conv2D", operators=1, alone=BETTER, in_float=FILE),
        ],
        weights="model",
        advice=AdviceRecord(
            target="int8.accuracy_drop of at most 1%",
            reached=True,
            layers=["logits"],
            rules="layers:\n  - {match: logits, quantize: none}",
            predicted=BETTER,
            measured=BETTER,
        ),
    )
    return ExplanationRecord(
        against="model.keras",
        split="test",
        examples=360,
        changed=3,
        gained=1,
        lost=2,
        indices=[17, 40, 99],
        shown=examples,
        classes=[
            ClassRecord(label=1, name="one", examples=36, before=0.95, after=0.97),
            ClassRecord(label=8, name="eight", examples=35, before=34 / 35, after=32 / 35),
            ClassRecord(label=9, name="nine", examples=35, before=1.0, after=1.0),
        ],
        layers=errors,
        layer_examples=8,
        sensitivity=table,
    )


def regression_explanation() -> ExplanationRecord:
    """Of a model with one quantity."""
    shown = [ChangedExample(index=3, truth="2.5", before="2.4", after="1.9", helped=None, text="0.1 0.2")]
    return ExplanationRecord(against="model.keras", split="test", examples=100, indices=[3], shown=shown)


def _error(layer: str, kind: str, sqnr: float, error: float, before: float) -> LayerErrorRecord:
    return LayerErrorRecord(
        layer=layer,
        type=kind,
        tensor=f"net/{layer}",
        sqnr_db=sqnr,
        cosine=0.9999,
        max_error=0.1,
        relative_error=error,
        before=before,
    )
