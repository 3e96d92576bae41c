"""What can be said of a distiller before any training: which layers there are, and whether their shapes go together."""

from __future__ import annotations

from collections.abc import Iterator

import tf_keras

from tfopt.backend.distillation.feature_extractor import NoSuchLayer, output_of
from tfopt.backend.types import Shape
from tfopt.core.config import ramps
from tfopt.core.config.distillation import LayerPair, Teacher
from tfopt.core.contracts.preflight import Preflight, Workload
from tfopt.core.language.mistakes import Mistake, RecipePath, below

_LARGE = 2 * 10**9
"""Bytes of stored outputs above which there is a warning."""


def teacher_preflight(model: tf_keras.Model, teacher: Teacher, workload: Workload) -> Preflight:
    """Checks layer pairs and schedules.

    Args:
        model: the student as it starts; it is not changed.
        teacher: the recipe's block.
        workload: how long the stage is, and the teachers as far as they are known.
    """
    problems: list[Mistake] = []
    for key, change in (("temperature", teacher.used_temperature()), ("weight", teacher.weight)):
        try:
            ramps.resolve(change, workload.total_steps, workload.steps_per_epoch)
        except ValueError as error:
            problems.append(Mistake(("teacher", key), str(error), code="outside_stage"))
    others = [workload.sources[source.label].model for source in teacher.sources()] or [model]
    outputs = others[0] if isinstance(others[0], tf_keras.Model) else model
    stored = sum(_size(tuple(output.shape[1:])) for output in outputs.outputs)
    for index, pair in ((index, pair) for index, one in enumerate(teacher.layers) for pair in one.pairs()):
        path = ("teacher", "layers", index)
        if not isinstance(others[0], tf_keras.Model):
            text = "is a layer of a file that returns only outputs. Use a Keras model"
            problems.append(Mistake((*path, "teacher"), text, code="incompatible_model"))
            continue
        shapes, missing = _shapes(pair, model, others[0])
        problems += below(path, missing)
        if not missing:
            problems += [Mistake(path, text, code="incompatible_shapes") for text in _misfits(pair, *shapes)]
            stored += _size(shapes[1])
    warnings = []
    if teacher.cache and 4 * stored * workload.examples > _LARGE:
        size = 4 * stored * workload.examples / 1e9
        warnings.append(
            f"teacher.cache keeps outputs and layers of the teacher for all examples: {size:.1f} GB in memory and on "
            "disk."
        )
    return Preflight(problems=tuple(problems), warnings=tuple(warnings))


def _shapes(pair: LayerPair, student: tf_keras.Model, teacher: tf_keras.Model) -> tuple[list[Shape], list[Mistake]]:
    """Shapes of both layers without the batch axis, and which of them is missing."""
    shapes: list[Shape] = []
    missing: list[Mistake] = []
    for key, name, model in (("student", pair.student, student), ("teacher", pair.teacher_layer, teacher)):
        try:
            output = output_of(model, name, pair)
            shapes.append(tuple(output.shape[1:]))
        except NoSuchLayer as error:
            path: RecipePath = (key,) if getattr(pair, key) else ()
            missing.append(Mistake(path, f"{name!r} {error}", code="unknown_layer"))
    return shapes, missing


def _misfits(pair: LayerPair, student: Shape, teacher: Shape) -> Iterator[str]:
    """Why the shapes of two layers do not go with their loss."""
    shapes = f"{pair.student!r} gives {student} and the teacher's {pair.teacher_layer!r} {teacher}"
    places = student[:-1] == teacher[:-1]
    if pair.kind == "hint" and not places:
        yield f"compares {shapes}: hint needs the same sizes but for the last, which is projected"
    elif pair.kind == "hidden_states" and not (len(student) == len(teacher) == 2 and places):
        yield f"compares {shapes}: hidden_states needs (time, width) with the same time"
    elif pair.kind == "attention_transfer" and not (len(student) == len(teacher) >= 2 and places):
        yield f"compares {shapes}: attention_transfer needs maps of the same height and width"
    elif pair.kind == "attention_maps" and not (len(student) == 3 and student == teacher):
        yield f"compares {shapes}: attention_maps needs (heads, time, time), the same in both"


def _size(shape: Shape) -> int:
    size = 1
    for number in shape:
        size *= number or 1
    return size
