"""Weights of a teacher's layers in a model with fewer of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tf_keras

from tfopt.backend.artifacts import external_models
from tfopt.backend.distillation.narrowed import is_wider, narrowed
from tfopt.backend.graph.layers import layer_type, leaf_layers
from tfopt.core.config.initialization import Initialization, begins_with, renamed
from tfopt.core.contracts.preflight import Preflight, Workload
from tfopt.core.contracts.result import StageResult
from tfopt.core.contracts.stage import StageContext
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.wording import counted
from tfopt.errors import StageError


@dataclass(frozen=True)
class Matches:
    """Which layer of the teacher each layer of a model is filled from.

    Args:
        pairs: layers of the model and of the teacher, with equal shapes.
        wider: embeddings whose table is wider in the teacher.
        left: why a layer of the model keeps its weights, by name.
    """

    pairs: tuple[tuple[tf_keras.layers.Layer, tf_keras.layers.Layer], ...]
    wider: tuple[tuple[tf_keras.layers.Layer, tf_keras.layers.Layer], ...]
    left: Mapping[str, str]

    @property
    def filled(self) -> tuple[tuple[tf_keras.layers.Layer, tf_keras.layers.Layer], ...]:
        """Every layer that gets weights, and whose."""
        return (*self.pairs, *self.wider)


def matches(model: tf_keras.Model, teacher: tf_keras.Model, asked: Initialization) -> Matches:
    """Finds the teacher's layer for each layer of a model that has weights.

    Args:
        model: to be filled.
        teacher: with the weights.
        asked: how names begin, in the model and in the teacher, and whether wider tables are taken.
    """
    theirs = {layer.name: layer for layer in leaf_layers(teacher, weighted=True)}
    pairs, wider, left = [], [], {}
    for layer in leaf_layers(model, weighted=True):
        name = renamed(layer.name, asked.layers)
        reason = _difference(layer, theirs.get(name), name)
        if reason is None:
            pairs.append((layer, theirs[name]))
        elif asked.wider_tables and name in theirs and is_wider(layer, theirs[name]):
            wider.append((layer, theirs[name]))
        else:
            left[layer.name] = reason
    return Matches(tuple(pairs), tuple(wider), left)


def preflight(model: tf_keras.Model, asked: Initialization, workload: Workload) -> Preflight:
    """What is wrong with teacher and names, before any training."""
    source = workload.sources[asked.teacher.label]
    path = ("teacher",)
    if isinstance(source.model, external_models.TfliteModel):
        text = f"is {asked.teacher.label}, which returns only outputs: name a Keras model"
        return Preflight(problems=(Mistake(path, text, code="incompatible_model"),))
    if "quantized" in source.traits:
        text = f"is {asked.teacher.label}, which simulates 8 bits: name a model from before qat"
        return Preflight(problems=(Mistake(path, text, code="incompatible_model"),))
    found = matches(model, source.model, asked)
    problems = list(_problems(model, asked.layers, found))
    if asked.wider_tables and not found.wider:
        text = f"is given, but {asked.teacher.label} has no wider embedding of as many tokens as one of {model.name!r}"
        problems.append(Mistake(("wider_tables",), text, code="incompatible_model"))
    if not found.filled and not problems:
        text = f"is {asked.teacher.label}, no layer of which has the name and the shapes of one of {model.name!r}"
        problems.append(Mistake(path, text, code="incompatible_model"))
    warnings = []
    if found.left and not problems:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in list(found.left.items())[:3])
        more = ", ..." if len(found.left) > 3 else ""
        total = len(found.filled) + len(found.left)
        warnings.append(
            f"{len(found.filled)} of {counted(total, 'layer')} get weights of the teacher; the others begin with their "
            f"own ({reasons}{more})."
        )
    return Preflight(problems=tuple(problems), warnings=tuple(warnings))


def initialize(model: tf_keras.Model, asked: Initialization, context: StageContext) -> StageResult:
    """Fills a model in place.

    Raises:
        StageError: the teacher has other layers after all.
    """
    teacher: Any = external_models.load_external_model(context.sources[asked.teacher.label])
    found = matches(model, teacher, asked)
    problems = list(_problems(model, asked.layers, found))
    if problems or not found.filled:
        text = problems[0].message if problems else "no layer has the name and the shapes of one of the model"
        raise StageError(f"{asked.teacher.label} does not fit: {text}.", code="incompatible_model")
    for layer, other in found.pairs:
        layer.set_weights(other.get_weights())
    kept = {}
    for layer, other in found.wider:
        table, kept[layer.name] = narrowed(other.get_weights()[0], layer.weights[0].shape[-1])
        layer.set_weights([table])
    names = {layer.name: other.name for layer, other in found.filled}
    details = {"initialized": names, "not_initialized": dict(found.left)}
    return StageResult(model, details=details | ({"variance_kept": kept} if kept else {}))


def _difference(layer: tf_keras.layers.Layer, other: tf_keras.layers.Layer | None, name: str) -> str | None:
    """Why a layer cannot be filled from another one; None if it can."""
    if other is None:
        return f"the teacher has no layer {name!r} with weights"
    if layer_type(layer) != layer_type(other):
        return f"it is a {layer_type(layer)}, and {name!r} of the teacher a {layer_type(other)}"
    ours, theirs = ([tuple(weight.shape) for weight in one.weights] for one in (layer, other))
    if ours != theirs:
        return f"it has weights of the shapes {ours}, and {name!r} of the teacher {theirs}"
    return None


def _problems(model: tf_keras.Model, layers: Mapping[str, str], found: Matches) -> list[Mistake]:
    """Beginnings of names that the recipe says and that do not lead to weights."""
    names = [layer.name for layer in leaf_layers(model, weighted=True)]
    problems = []
    for begin in layers:
        mine = [name for name in names if begins_with(name, begin)]
        wrong = [f"{name}: {found.left[name]}" for name in mine if name in found.left]
        if not mine:
            text = f"names {begin!r}, but the name of no layer with weights of {model.name!r} begins so"
            problems.append(Mistake(("layers", begin), text, code="unknown_layer"))
        elif wrong:
            problems.append(Mistake(("layers", begin), f"does not fit ({wrong[0]})", code="incompatible_model"))
    return problems
