"""Joining models into one functional model over one input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.artifacts import external_models
from tfopt.backend.data.arrays.reading import arrays_in_memory
from tfopt.backend.data.splits import Split
from tfopt.backend.ensembling import member_weights
from tfopt.backend.ensembling.combine import combined, logits_of, probabilities_of
from tfopt.backend.ensembling.heads import Head, fits, heads
from tfopt.backend.equivalence import Tolerance, difference
from tfopt.backend.graph.outputs import output_layer, output_names, positions
from tfopt.backend.training.evaluate import predict
from tfopt.backend.types import Array, Arrays
from tfopt.catalog.guard import guarded
from tfopt.core.config.ensembling import Ensembling
from tfopt.core.config.training.outputs import Outputs
from tfopt.core.contracts.preflight import Preflight, Workload
from tfopt.core.contracts.result import StageResult
from tfopt.core.contracts.stage import StageContext
from tfopt.core.language.mistakes import Mistake
from tfopt.errors import StageError

_PROBE = 32
"""Examples on which the joined model is compared with its members."""
_TOLERANCE = Tolerance(1e-4, least_scale=1.0)


def preflight(model: tf_keras.Model, asked: Ensembling, workload: Workload) -> Preflight:
    """What is wrong with the members, before any training."""
    problems = [*_unfit_members(asked, workload), *_unfit_combination(asked, workload)]
    if not problems:
        members = _members(model, [source.model for source in workload.sources.values()], asked)
        squashed = [head for head in heads(workload.compile, asked.combine) if head.squashed]
        stuck = [(one, head) for head in squashed for one in members if not _can_be_linear(_end(one, head))]
        if stuck:
            member, head = stuck[0]
            of_output = f" of output {head.name}" if head.name else ""
            last = f"the last layer{of_output} of {member.name}"
            text = f"is 'logits', but {last} is none that applies softmax or sigmoid to logits"
            problems.append(Mistake(("combine",), text, code="incompatible_model"))
    return Preflight(problems=tuple(problems))


def layers_after(model: tf_keras.Model, asked: Ensembling, workload: Workload) -> tf_keras.Model:
    """The joined model with whatever weights, for what comes after."""
    members = _members(model, [source.model for source in workload.sources.values()], asked)
    weights = _given_weights(asked, len(members))
    return join(members, weights, heads(workload.compile, asked.combine), model.name)


def ensemble(model: tf_keras.Model, asked: Ensembling, context: StageContext) -> StageResult:
    """Joins the members and proves that the joined model computes what they compute.

    Raises:
        StageError: a layer of a member cannot be copied, or the joined model computes something else.
    """
    outputs = heads(context.compile, asked.combine)
    members = _members(model, [external_models.load_external_model(one) for one in context.sources.values()], asked)
    learned = asked.weights == "learned"
    weights = _learned(members, outputs, context) if learned else _given_weights(asked, len(members))
    joined = join(members, weights, outputs, model.name)
    _prove(joined, members, weights, outputs, context)
    names = [*(["incoming"] if asked.incoming else []), *context.sources]
    details = {"combine": asked.combine, "members": dict(zip(names, weights, strict=True))}
    return StageResult(joined, details=details)


def join(
    members: Sequence[tf_keras.Model], weights: Sequence[float], outputs: Sequence[Head], name: str
) -> tf_keras.Model:
    """One functional model over new inputs; the members are copied with their weights.

    Args:
        members: functional or sequential, with the same inputs and outputs.
        weights: one per member; they sum to 1.
        outputs: of the members, in order, and how each is combined. Of several, the result keeps the
            names.
        name: of the result.

    Raises:
        StageError: a layer cannot be copied.
    """
    first = members[0]
    inputs = [
        tf_keras.Input(tensor.shape[1:], batch_size=tensor.shape[0], dtype=tensor.dtype, name=port)
        for tensor, port in zip(first.inputs, first.input_names, strict=True)
    ]
    # An input may have the name of an output, but no two layers may.
    kept = [f"{head.name}_ensemble" if head.name in first.input_names else head.name for head in outputs]
    taken = {*first.input_names, *kept}
    copies = []
    for number, member in enumerate(members, start=1):
        prefix = _free_prefix(number, member, taken)
        names = {
            layer.name: layer.name if number == 1 and layer.name not in kept else prefix + layer.name
            for layer in member.layers
        }
        copies.append(_copy(member, inputs, names, outputs))
        taken |= set(names.values())
    last = "ensemble" if "ensemble" not in taken else f"ensemble_of_{len(members)}"
    found = [
        combined(each, weights, head.combine, head.meaning, layer or last)
        for layer, head, each in zip(kept, outputs, zip(*copies, strict=True), strict=True)
    ]
    return tf_keras.Model(inputs, found if len(found) > 1 else found[0], name=name)


def _unfit_members(asked: Ensembling, workload: Workload) -> list[Mistake]:
    problems: list[Mistake] = []
    for label, source in workload.sources.items():
        place = asked.places.get(label, ())
        if isinstance(source.model, external_models.TfliteModel):
            problems.append(
                Mistake(place, f"is {label}, which returns only outputs: name a Keras model", code="incompatible_model")
            )
        elif "quantized" in source.traits:
            problems.append(
                Mistake(
                    place,
                    f"is {label}, which simulates 8 bits: put qat behind the ensemble instead",
                    code="incompatible_model",
                )
            )
        elif missing := _missing(source.model, workload.compile.all_outputs):
            found = ", ".join(output_names(source.model))
            text = f"is {label}, whose outputs are {found}: it has none called {missing}"
            problems.append(Mistake(place, text, code="incompatible_model"))
    if asked.incoming and "quantized" in workload.traits:
        problems.append(
            Mistake(
                (), "cannot follow qat: join the members first, and put qat behind the ensemble", code="stage_order"
            )
        )
    return problems


def _missing(member: tf_keras.Model, names: tuple[str, ...]) -> str | None:
    """The first output that a member does not have."""
    try:
        positions(output_names(member), names, names)
    except KeyError as missing:
        return str(missing)
    return None


def _unfit_combination(asked: Ensembling, workload: Workload) -> list[Mistake]:
    problems: list[Mistake] = []
    judged = workload.compile.of_each().values()
    if not any(fits(asked.combine, Outputs.of(alone)) for alone in judged):
        losses = ", ".join(alone.loss_kind for alone in judged)
        why = {
            "logits": f"but {losses} is no loss of a classification",
            "vote": f"but with {losses} there is no one class out of several to vote for",
        }[asked.combine]
        problems.append(Mistake(("combine",), f"is {asked.combine!r}, {why}", code="incompatible_loss"))
    if asked.weights == "learned" and not workload.validation:
        problems.append(
            Mistake(
                ("weights",),
                "is 'learned', but the validation split is empty: give data.splits.validation",
                code="no_validation_data",
            )
        )
    return problems


def _members(model: tf_keras.Model, others: Sequence[Any], asked: Ensembling) -> list[tf_keras.Model]:
    return [*([model] if asked.incoming else []), *others]


def _given_weights(asked: Ensembling, members: int) -> list[float]:
    if not isinstance(asked.weights, tuple):
        return [1 / members] * members
    return [weight / sum(asked.weights) for weight in asked.weights]


def _learned(members: Sequence[tf_keras.Model], outputs: Sequence[Head], context: StageContext) -> list[float]:
    split, judged = context.data.validation, context.compile.of_each()
    targets = arrays_in_memory(split.targets)
    losses = [
        (context.compile.weight_of(head.name), _loss(head, predictions, _by_name(targets, head.name)))
        for head, predictions in zip(outputs, _predictions(members, outputs, split), strict=True)
        if head.name in judged
    ]

    def together(weights: np.ndarray) -> tuple[float, np.ndarray]:
        found = [(share, loss(weights)) for share, loss in losses]
        value = sum(share * one for share, (one, _) in found)
        return value, np.sum([share * gradient for share, (_, gradient) in found], axis=0)

    least = member_weights.least(together if len(losses) > 1 else losses[0][1], len(members))
    # Zero would leave a member in the file that is never heard.
    weights = np.maximum(least, 1e-4)
    return [float(weight) for weight in weights / weights.sum()]


def _loss(head: Head, predictions: np.ndarray, targets: np.ndarray) -> member_weights.Loss:
    """Of one output, by the weights of the members."""
    predictions = predictions.astype(np.float64)
    if head.meaning.squash != "softmax":
        return member_weights.squared_error(predictions, targets.astype(np.float64))
    labels = targets if targets.ndim < predictions.ndim - 1 else targets.argmax(axis=-1)
    if head.squashed:
        predictions = logits_of(predictions, head.meaning)
    elif head.combine != "logits" and head.meaning.are_logits:
        predictions = probabilities_of(predictions, head.meaning)
    flat, labels = predictions.reshape(len(predictions), -1, predictions.shape[-1]), labels.reshape(-1)
    counts = slice(None) if head.ignored is None else labels != head.ignored
    return member_weights.likelihood(flat[:, counts], labels[counts], logits=head.combine == "logits")


def _predictions(members: Sequence[tf_keras.Model], outputs: Sequence[Head], split: Split) -> list[np.ndarray]:
    """Of each output, what all members give: (members, examples, ...)."""
    found = [predict(member, split, names=output_names(member)) for member in members]
    return [
        np.stack(
            [
                _by_name(one, output_names(member)[head.position(member)])
                for one, member in zip(found, members, strict=True)
            ]
        )
        for head in outputs
    ]


def _by_name(arrays: Arrays, name: str) -> Array:
    """The array of an output, or the only one."""
    return arrays[name] if isinstance(arrays, dict) else arrays


def _prove(
    joined: tf_keras.Model,
    members: Sequence[tf_keras.Model],
    weights: Sequence[float],
    outputs: Sequence[Head],
    context: StageContext,
) -> None:
    split = context.data.train.select(np.arange(min(_PROBE, len(context.data.train))))
    of_joined = _predictions([joined], outputs, split)
    for head, predictions, (found,) in zip(outputs, _predictions(members, outputs, split), of_joined, strict=True):
        if differing := difference(head.values(predictions, weights), found, _TOLERANCE):
            of_output = f" {head.name!r}" if head.name else ""
            raise StageError(
                f"the outputs{of_output} of the joined model differ from those of its members: "
                f"the largest difference is {differing.largest}.",
                code="not_equivalent",
            )


def _copy(
    model: tf_keras.Model, inputs: Sequence[tf.Tensor], names: Mapping[str, str], outputs: Sequence[Head]
) -> list[tf.Tensor]:
    """The outputs of a copy of a model on other inputs, its layers renamed, without a softmax of which the logits are
    combined."""
    functional = tf_keras.Model(model.inputs, model.outputs)
    linear = {_end(model, head) for head in outputs if head.squashed}

    def copy(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        if layer in linear and isinstance(layer, tf_keras.layers.Softmax):
            return tf_keras.layers.Activation("linear", name=names[layer.name])
        config = {**layer.get_config(), "name": names[layer.name]}
        if layer in linear:
            config["activation"] = "linear"
        return guarded(lambda: type(layer).from_config(config), f"Copying the layer {layer.name!r}")

    copied = tf_keras.models.clone_model(functional, input_tensors=list(inputs), clone_function=copy)
    for layer in functional.layers:
        if layer.weights:
            copied.get_layer(names[layer.name]).set_weights(layer.get_weights())
    return [copied.outputs[head.position(model)] for head in outputs]


def _free_prefix(number: int, member: tf_keras.Model, taken: set[str]) -> str:
    """What makes the names of a member's layers differ from all others."""
    while any(f"member{number}_{layer.name}" in taken for layer in member.layers):
        number += 1
    return f"member{number}_"


def _end(member: tf_keras.Model, head: Head) -> tf_keras.layers.Layer:
    """The layer that makes an output."""
    return output_layer(member, head.position(member))


def _can_be_linear(layer: tf_keras.layers.Layer) -> bool:
    if isinstance(layer, tf_keras.layers.Softmax):
        return True
    return getattr(getattr(layer, "activation", None), "__name__", None) in ("softmax", "sigmoid")
