"""Which predictions differ between a model and a file: by class, and example by example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tfopt.backend.data.arrays.reading import arrays_in_memory
from tfopt.backend.data.labels import is_one_hot
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.data.vocabulary import tokenizer_of
from tfopt.backend.explain import examples
from tfopt.backend.explain.agreement import predictions
from tfopt.backend.explain.pictured.maps import changed_maps
from tfopt.backend.explain.pictured.objects import explain_detections
from tfopt.backend.explain.pictured.panels import ORDER
from tfopt.backend.explain.tokens import before_position, token_names
from tfopt.backend.text.tokenizer import Tokenizer
from tfopt.backend.training.metrics.counted import ignored_class
from tfopt.backend.types import Array
from tfopt.backend.vision.matching import BOXES, CLASSES
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.outputs import Outputs
from tfopt.core.records.explanation import ChangedExample, ClassRecord, ExplanationRecord

SHOWN = 8
"""Examples that are shown."""
_INDICES = 1000
_RANKED = 5000
"""Changed predictions among which those with the largest change are looked for."""
_CLASSES = 1000


def explain_output(
    before: Mapping[str, Array], after: Mapping[str, Array], data: Data, compile: Compile, *, against: str
) -> ExplanationRecord:
    """Compares predictions on the test split; of several outputs, those of the output of the main metric.

    Args:
        before: outputs of the model, (examples, ...), by output name.
        after: outputs of the file.
        data: the splits.
        compile: the recipe's block.
        against: name of the model.
    """
    if data.anchors is not None and {BOXES, CLASSES} <= set(compile.outputs):
        return explain_detections(before, after, data, compile, against=against, most=SHOWN)
    name = compile.main_output or next(iter(compile.outputs), "")
    if not name:
        (one,), (two,) = before.values(), after.values()
    else:
        one, two = before[name], after[name]
    split = data.test
    if name and isinstance(split.targets, dict):
        split = replace(split, targets=split.targets[name])
    return explain_predictions(
        one,
        two,
        split,
        compile.meaning_of(name),
        against=f"{against}, output {name}" if name else against,
        name="test",
        class_names=data.classes_of_outputs.get(name) if name else data.class_names,
        tokenizer=tokenizer_of(data),
    )


def explain_predictions(
    before: Array,
    after: Array,
    split: Split,
    compile: Compile,
    *,
    against: str,
    name: str,
    class_names: Sequence[str] | None = None,
    tokenizer: Tokenizer | None = None,
) -> ExplanationRecord:
    """Compares predictions of a file with those of its model; in a sequence of labels, each is a prediction.

    Args:
        before: outputs of the model, (examples, ...).
        after: outputs of the file, of the same shape.
        split: the examples.
        compile: whose loss says what outputs mean.
        against: name of the model.
        name: of the split.
        class_names: by class id, where they are known.
        tokenizer: whose tokens are the classes, where they are tokens.
    """
    meaning = Outputs.of(compile)
    total = len(before)
    if split.targets is not split.inputs:
        split = replace(split, targets=arrays_in_memory(split.targets, "The test targets"))
    if isinstance(split.targets, dict) or before.shape != after.shape:
        note = "Predictions are compared for models with one output of one shape only."
        return ExplanationRecord(against=against, split=name, examples=total, notes=[note])
    if not meaning.are_classes:
        return _of_quantities(before, after, split, against, name)
    one, two = predictions(before, meaning), predictions(after, meaning)
    truth = _truth(split.targets, one, meaning)
    places = _places(one, split.targets, compile, meaning)
    names = class_names or (None if places is None else token_names(tokenizer))
    pictures = _pictures(one, two, truth, split, compile, names)
    if places is not None:
        one, two = one[places], two[places]
        truth = None if truth is None else truth[places]
        total = len(one)
    changed = np.flatnonzero(_any(one != two))
    right = None if truth is None else (_all(one == truth), _all(two == truth))
    ranked = changed[:_RANKED]
    sides = [
        outputs if places is None else outputs[tuple(place[ranked] for place in places)] for outputs in (before, after)
    ]
    scores = [_scores(outputs[ranked] if places is None else outputs, meaning) for outputs in sides]
    order = sorted(range(len(ranked)), key=lambda rank: -abs(_strength(scores[1][rank]) - _strength(scores[0][rank])))

    def shown(rank: int) -> ChangedExample:
        index, helped = int(ranked[rank]), None
        if right is not None and right[0][index] != right[1][index]:
            helped = bool(right[1][index])
        place = (index,) if places is None else tuple(int(place[index]) for place in places)
        text = before_position(tokenizer, split, *place) if tokenizer is not None and len(place) == 2 else None
        return _example(
            split,
            place[0],
            truth="unknown" if truth is None else _label(truth[index], None, names, meaning),
            before=_label(one[index], scores[0][rank], names, meaning),
            after=_label(two[index], scores[1][rank], names, meaning),
            helped=helped,
            text=text,
        )

    return ExplanationRecord(
        against=against,
        split=name,
        examples=total,
        changed=len(changed),
        gained=None if right is None else int(np.sum(right[1] & ~right[0])),
        lost=None if right is None else int(np.sum(right[0] & ~right[1])),
        indices=[int(index) for index in changed[:_INDICES]],
        shown=[shown(rank) for rank in order[:SHOWN]] if pictures is None else pictures,
        notes=[ORDER] if pictures else [],
        classes=[] if truth is None else _classes(one, two, truth, names, meaning),
    )


def _pictures(
    one: Array, two: Array, truth: Array | None, split: Split, compile: Compile, names: Sequence[str] | None
) -> list[ChangedExample] | None:
    """The maps of classes that changed most; None where predictions are no maps."""
    if Outputs.of(compile).one_per_label:
        if one.ndim != 4 or one.shape[-1] != 1:
            return None
        # yes or no of each pixel
        one, two, truth = one[..., 0], two[..., 0], None if truth is None else truth[..., 0]
    if one.ndim != 3:
        return None
    ignored = ignored_class(compile)
    counts = np.ones(one.shape, bool) if ignored is None or truth is None else truth != ignored
    return changed_maps(one, two, truth, counts, split, names, SHOWN)


def _places(found: Array, targets: object, compile: Compile, meaning: Outputs) -> tuple[Array, ...] | None:
    """Positions (example, ...) of the predictions of sequences and maps whose targets count; None for one of each."""
    if found.ndim < 2 or meaning.one_per_label:
        return None
    ignored = ignored_class(compile)
    counts = np.ones(found.shape, bool)
    if ignored is not None and isinstance(targets, np.ndarray) and targets.shape == found.shape:
        counts = targets != ignored
    return np.nonzero(counts)


def _of_quantities(before: Array, after: Array, split: Split, against: str, name: str) -> ExplanationRecord:
    """Regression: the examples whose outputs differ most, in standard deviations of each output."""
    one, two = (values.reshape(len(values), -1).astype(np.float64) for values in (before, after))
    spread = one.std(axis=0)
    distance = np.abs(two - one) / np.where(spread > 0, spread, 1.0)
    largest = np.where(np.isfinite(distance), distance, np.inf).max(axis=1, initial=0.0)
    order = [int(index) for index in np.argsort(-largest, kind="stable")[:SHOWN] if largest[index] > 0]
    same = split.targets is split.inputs
    return ExplanationRecord(
        against=against,
        split=name,
        examples=len(before),
        indices=order,
        shown=[
            _example(
                split,
                index,
                truth="its input" if same else examples.values_text(np.asarray(split.targets)[index]),
                before=examples.values_text(before[index]),
                after=examples.values_text(after[index]),
                helped=None,
            )
            for index in order
        ],
    )


def _example(
    split: Split, index: int, *, truth: str, before: str, after: str, helped: bool | None, text: str | None = None
) -> ChangedExample:
    picture = None if text is not None else examples.picture(split, index)
    return ChangedExample(
        index=index,
        truth=truth,
        before=before,
        after=after,
        helped=helped,
        picture=picture,
        text=text or (examples.text(split, index) if picture is None else None),
    )


def _truth(targets: object, found: Array, meaning: Outputs) -> Array | None:
    """Targets in the form of predictions; None where they have a different shape."""
    values = np.asarray(targets)
    if not meaning.one_per_label and values.ndim == found.ndim + 1:
        values = values.argmax(axis=-1) if is_one_hot(values) or values.shape[-1] > 1 else values[..., 0]
    if meaning.one_per_label:
        values = (values > 0).astype(np.int64)
    return values.reshape(found.shape) if values.size == found.size else None


def _any(values: Array) -> Array:
    """Whether anything in each example is true."""
    return np.asarray(values.reshape(len(values), -1).any(axis=1))


def _all(values: Array) -> Array:
    """Whether everything in each example is true."""
    return np.asarray(values.reshape(len(values), -1).all(axis=1))


def _scores(outputs: Array, meaning: Outputs) -> Array:
    """Scores as the loss understands them: probabilities where it is a cross-entropy."""
    values = outputs.astype(np.float64)
    if not meaning.are_logits or meaning.squash is None:
        return values
    if meaning.squash == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-values)))
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def _strength(scores: Array) -> float:
    return float(np.nan_to_num(scores).max(initial=0.0))


def _label(found: Array, scores: Array | None, names: Sequence[str] | None, meaning: Outputs) -> str:
    """A prediction as text: the class with its score; of several, how many there are."""
    values = np.asarray(found)
    if values.size > 1:
        if not meaning.one_per_label:
            return f"{values.size} classes: {' '.join(map(str, values.reshape(-1)[:12]))}"
        positive = np.flatnonzero(values.reshape(-1) == 1)
        return ", ".join(_name(int(label), names) for label in positive[:6]) or "none"
    label = int(values.reshape(-1)[0])
    if label < 0:
        return "not a number"
    if scores is None:
        return _name(label, names)
    flat = np.asarray(scores).reshape(-1)
    score = float(flat[label]) if flat.size > 1 else float(flat[0])
    return f"{_name(label, names)} ({score:.3g})"


def _name(label: int, names: Sequence[str] | None) -> str:
    return names[label] if names is not None and 0 <= label < len(names) else str(label)


def _classes(one: Array, two: Array, truth: Array, names: Sequence[str] | None, meaning: Outputs) -> list[ClassRecord]:
    """Share of right predictions by class; of labels that are a yes or no of their own, by label."""
    if meaning.one_per_label and truth.ndim > 1 and truth.shape[-1] > 1:
        labels = truth.shape[-1]
        columns = [(truth[..., label], one[..., label], two[..., label]) for label in range(labels)]
        rows = [
            (label, real.size, float(np.mean(first == real)), float(np.mean(second == real)))
            for label, (real, first, second) in enumerate(columns)
        ]
    else:
        present = np.unique(truth)
        if len(present) > _CLASSES:
            return []
        places = [(label, truth == label) for label in present]
        rows = [
            (int(label), int(np.sum(at)), float(np.mean(one[at] == label)), float(np.mean(two[at] == label)))
            for label, at in places
        ]
    if len(rows) > _CLASSES:
        return []
    return [
        ClassRecord(
            label=label,
            name=names[label] if names is not None and 0 <= label < len(names) else None,
            examples=count,
            before=first,
            after=second,
        )
        for label, count, first, second in rows
    ]
