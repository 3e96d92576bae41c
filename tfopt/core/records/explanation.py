"""Where the accuracy of a file went, as plain values: per layer, per class and per example."""

from __future__ import annotations

from typing import Literal

from tfopt.core.records.record import Record


class LayerErrorRecord(Record):
    """How far values inside a file are from those of the model it is compared with, on the same examples."""

    layer: str
    """Keras name of the layer whose output it is; without a Keras model, the name of the tensor."""
    type: str
    """Keras type of the layer; without a Keras model, the operator of the file."""
    tensor: str
    """Name of the tensor in the file."""
    sqnr_db: float | None
    """Signal-to-quantization-noise ratio in dB: 10 log10 of the mean square of the model's values over that of the
    differences. Null where nothing differs, or the model's values are all 0."""
    cosine: float | None
    """Cosine of the angle between the two; null where one of them is all 0."""
    max_error: float
    """Largest absolute difference."""
    relative_error: float
    """Root of the mean square of the differences, as a share of the range of the model's values; 0 where they have
    none."""
    before: float
    """The largest relative error of what the layer reads; without a Keras model, that of the tensor before it."""

    @property
    def arising(self) -> float:
        """Relative error that was not there before the layer."""
        return self.relative_error - self.before


class EffectRecord(Record):
    """What a file with some layers computed differently comes to, on the examples of a sensitivity table."""

    metric: float
    """The recipe's first metric."""
    agreement: float | None
    """Share of predictions that equal those of the Keras model; null for regression."""
    error: float
    """Root of the mean square of the difference to the Keras model's outputs, over their standard deviation."""
    bytes: int
    """Size of the file."""


class SensitivityRecord(Record):
    """What quantizing one layer costs, and what keeping it in float gives back."""

    layer: str
    """Keras name; without a Keras model, the name of the operator's output."""
    type: str
    operators: int
    """How many operators of the file compute it."""
    alone: EffectRecord | None
    """Only this layer quantized, all others in float."""
    in_float: EffectRecord | None
    """Only this layer in float, all others as in the file."""
    reason: str = ""
    """Why a measurement is missing; empty where none is."""


class AdviceRecord(Record):
    """The fewest layers found that must stay in float so that a file reaches a target."""

    target: str
    """What is to be reached, as a sentence."""
    reached: bool
    """Whether the advice reaches it; by measurement, where there is one."""
    layers: list[str] = []
    """Layers to keep in float; empty where the file reaches the target as it is, or nothing found helps."""
    rules: str = ""
    """The recipe's `layers:` to paste; empty where no layer is named."""
    predicted: EffectRecord | None = None
    """Computed by rewriting those operators in the file."""
    measured: EffectRecord | None = None
    """Of a file that was converted with these rules; null where none was."""
    reason: str = ""
    """Why nothing was measured or found; empty otherwise."""


class SensitivityTable(Record):
    """One layer at a time, quantized and in float."""

    metric: str
    split: Literal["validation", "train"]
    """The split whose examples were used; never the test split, for layers are chosen by it."""
    examples: int
    model: float
    """The metric of the Keras model on these examples."""
    file: EffectRecord
    """The file as it is."""
    layers: list[SensitivityRecord]
    """By what quantizing each costs, the most first."""
    left_out: list[str] = []
    """Layers that were not measured because there are too many; those with the least error inside the file."""
    weights: Literal["model", "file"]
    """Whether a layer in float has the weights of the float model, or those of the file (already rounded)."""
    advice: AdviceRecord | None = None


class ClassRecord(Record):
    """One class before and after."""

    label: int
    name: str | None
    examples: int
    """How many examples (or elements of a sequence) belong to it."""
    before: float
    """Share of them that the Keras model predicts rightly."""
    after: float
    """Share of them that the file predicts rightly."""


class ChangedExample(Record):
    """An example on which the file gives a different prediction, or for regression the most different one."""

    index: int
    """Position in the split."""
    truth: str
    before: str
    """The model's prediction: class and its score, or values."""
    after: str
    """The file's."""
    helped: bool | None
    """Whether the file is right where the model was wrong; null where neither is right, where the truth is unknown, and
    for regression."""
    picture: str | None = None
    """A small PNG as a data URI; null where the input is no image."""
    panels: int | None = None
    """How many pictures it has next to each other: of maps and detections image, truth, model and file."""
    text: str | None = None
    """The beginning of the input as text, where it is no image."""


class ExplanationRecord(Record):
    """How the predictions of a file differ from those of the model it is compared with."""

    against: str
    """What it is compared with."""
    split: str
    """Split of the data that the predictions are of."""
    examples: int
    """Examples; of sequences and maps of labels, labels."""
    changed: int | None = None
    """Examples with a different prediction; null for regression."""
    gained: int | None = None
    """Of those, the ones that only the file predicts rightly; null for regression, and where the truth is unknown."""
    lost: int | None = None
    """Of those, the ones that only the model predicts rightly; null for regression, and where the truth is unknown."""
    indices: list[int] = []
    """Positions of the changed examples (or labels, counted through), at most 1,000; for regression of those shown, the
    largest change first."""
    shown: list[ChangedExample] = []
    classes: list[ClassRecord] = []
    """By class; empty for regression, and for more than 1,000 classes."""
    layers: list[LayerErrorRecord] = []
    """In the order of the network; empty where they were not measured."""
    layer_examples: int = 0
    """Examples that the errors of the layers are of."""
    notes: list[str] = []
    """What could not be compared, and how tensors were matched, as sentences."""
    sensitivity: SensitivityTable | None = None
