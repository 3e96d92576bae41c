"""What each layer's quantization costs: one layer at a time quantized, and one at a time in float.

Measured in the file itself, by rewriting operators (see `float_operators`): exact for what the file computes, without a
conversion per layer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tfopt.backend.explain.float_weights import float_weights
from tfopt.backend.explain.judge import Judge
from tfopt.backend.explain.layer_groups import LayerGroup, layer_groups
from tfopt.backend.explain.rewritten_files import Ran, run_rewritten
from tfopt.backend.graph.layer_names import LayerNames
from tfopt.backend.tflite import flatbuffer
from tfopt.backend.types import Array
from tfopt.core.records.explanation import EffectRecord, LayerErrorRecord, SensitivityRecord, SensitivityTable
from tfopt.errors import ExportError

EXAMPLES = 256
"""Examples that files are run on."""
MOST_LAYERS = 32
"""Layers that are measured; of more, those with the most error inside the file."""


@dataclass(frozen=True)
class Subject:
    """A file whose layers are measured.

    Args:
        file: a `.tflite` with quantized layers.
        inputs: .npy file of (examples, ...) real values per input name.
        judge: outputs and targets of the same examples.
        split: which split they are of.
        names: finds the Keras layer of a tensor's name.
        types: Keras type of each layer, by name.
        twin: a float file of the same weights; None where there is none.
        errors: of the layers inside the file: which are measured where there are too many.
        work: folder for values.
        done: receives the number of versions of the file that have run, and of all.
        output: name of the output that is judged; empty for the only one.
    """

    file: Path
    inputs: Mapping[str, Path]
    judge: Judge
    split: Literal["validation", "train"]
    names: LayerNames
    types: Mapping[str, str]
    twin: Path | None
    errors: Sequence[LayerErrorRecord]
    work: Path
    done: Callable[[int, int], None] = lambda number, total: None
    output: str = ""


@dataclass(frozen=True)
class Sensitivity:
    """A table, and what is needed to try combinations of its layers.

    Args:
        table: one layer at a time.
        groups: operators of each layer, by name.
        weights: float values of quantized constants, by position of the tensor.
        subject: what was measured.
    """

    table: SensitivityTable
    groups: Mapping[str, LayerGroup]
    weights: Mapping[int, Array] = field(repr=False)
    subject: Subject

    def with_float(self, combinations: Sequence[Collection[str]]) -> list[EffectRecord | None]:
        """Effects of keeping several layers in float at once; None where that does not run."""
        versions = [{place for name in names for place in self.groups[name].positions} for names in combinations]
        subject = self.subject
        ran = run_rewritten(subject.file, versions, self.weights, subject.inputs, subject.work, output=subject.output)
        return [subject.judge.effect(one) if isinstance(one, Ran) else None for one in ran]


def sensitivity(subject: Subject) -> Sensitivity:
    """Measures the layers of a file.

    Raises:
        ExportError: no operator of the file is quantized, or the file does not run.
        StageError: targets do not fit the outputs.
    """
    file = flatbuffer.read(subject.file)
    groups = layer_groups(file, subject.names)
    if not groups:
        raise ExportError(
            f"{subject.file.name} has no quantized layer that could be computed in float: there is no sensitivity to "
            "measure.",
            code="incompatible_model",
        )
    weights = {} if subject.twin is None else float_weights(file, flatbuffer.read(subject.twin))
    every = {position for group in groups for position in group.positions}
    chosen, left_out = _chosen(groups, subject.errors)
    versions: list[set[int]] = [set()]
    for group in chosen:
        versions += [every - {*group.positions}, {*group.positions}]
    ran = run_rewritten(
        subject.file,
        versions,
        weights,
        subject.inputs,
        subject.work,
        lambda number: subject.done(number, len(versions)),
        subject.output,
    )
    if not isinstance(ran[0], Ran):
        raise ExportError(f"{subject.file.name} does not run: {ran[0]}", code="process_failed")
    base = subject.judge.effect(Ran(ran[0].outputs, subject.file.stat().st_size))
    rows = []
    for number, group in enumerate(chosen):
        alone, in_float = ran[1 + 2 * number : 3 + 2 * number]
        rows.append(
            SensitivityRecord(
                layer=group.layer,
                type=subject.types.get(group.layer, group.operator),
                operators=len(group.positions),
                alone=subject.judge.effect(alone) if isinstance(alone, Ran) else None,
                in_float=subject.judge.effect(in_float) if isinstance(in_float, Ran) else None,
                reason="; ".join(one for one in (alone, in_float) if isinstance(one, str)),
            )
        )
    rows.sort(key=lambda row: _harm(row, base.error), reverse=True)
    table = SensitivityTable(
        metric=subject.judge.compile.metric,
        split=subject.split,
        examples=len(subject.judge.expected),
        model=subject.judge.metric(subject.judge.expected),
        file=base,
        layers=rows,
        left_out=[group.layer for group in left_out],
        weights="model" if weights else "file",
    )
    return Sensitivity(table, {group.layer: group for group in chosen}, weights, subject)


def _harm(row: SensitivityRecord, error: float) -> float:
    """What quantizing a layer costs: what leaving it in float gives back, and its own error.

    The second finds what the first cannot see: a value that is rounded between two layers stays so unless both are in
    float.
    """
    gained = 0.0 if row.in_float is None else error - row.in_float.error
    return gained + (0.0 if row.alone is None else row.alone.error)


def _chosen(
    groups: Sequence[LayerGroup], errors: Sequence[LayerErrorRecord]
) -> tuple[list[LayerGroup], list[LayerGroup]]:
    """The layers to measure, and those that are left out."""
    if len(groups) <= MOST_LAYERS:
        return [*groups], []
    arising = {error.layer: error.arising for error in errors}
    ranked = sorted(groups, key=lambda group: -arising.get(group.layer, 0.0))
    kept = {id(group) for group in ranked[:MOST_LAYERS]}
    return [group for group in groups if id(group) in kept], [group for group in groups if id(group) not in kept]
