"""Joining models into one functional model over one input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.artifacts import external_models
from tfopt.backend.ensembling import member_weights
from tfopt.backend.ensembling.combine import combined, combined_values, logits_of, probabilities_of
from tfopt.backend.equivalence import Tolerance, difference
from tfopt.backend.training.evaluate import predict
from tfopt.backend.training.measure import only
from tfopt.backend.training.metrics.counted import ignored_class
from tfopt.catalog.guard import guarded
from tfopt.core.config.ensembling import Combine, Ensembling
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
    if workload.compile.all_outputs:
        names = ", ".join(workload.compile.all_outputs)
        text = f"joins models with one output, but this recipe names {names}. Use average, or distil from members"
        return Preflight(problems=(Mistake((), text, code="incompatible_model"),))
    problems = [*_unfit_members(asked, workload), *_unfit_combination(model, asked, workload)]
    if not problems and asked.combine == "logits" and not Outputs.of(workload.compile).are_logits:
        members = _members(model, [source.model for source in workload.sources.values()], asked)
        stuck = [one.name for one in members if not _can_be_linear(one)]
        if stuck:
            text = f"is 'logits', but the last layer of {stuck[0]} is none that applies softmax or sigmoid to logits"
            problems.append(Mistake(("combine",), text, code="incompatible_model"))
    return Preflight(problems=tuple(problems))


def layers_after(model: tf_keras.Model, asked: Ensembling, workload: Workload) -> tf_keras.Model:
    """The joined model with whatever weights, for what comes after."""
    if workload.compile.all_outputs:
        return model
    members = _members(model, [source.model for source in workload.sources.values()], asked)
    weights = _given_weights(asked, len(members))
    return join(members, weights, asked.combine, Outputs.of(workload.compile), model.name)


def ensemble(model: tf_keras.Model, asked: Ensembling, context: StageContext) -> StageResult:
    """Joins the members and proves that the joined model computes what they compute.

    Raises:
        StageError: a layer of a member cannot be copied, or the joined model computes something else.
    """
    outputs = Outputs.of(context.compile)
    members = _members(model, [external_models.load_external_model(one) for one in context.sources.values()], asked)
    if asked.weights == "learned":
        weights = _learned(members, asked.combine, outputs, context)
    else:
        weights = _given_weights(asked, len(members))
    joined = join(members, weights, asked.combine, outputs, model.name)
    _prove(joined, members, weights, asked.combine, outputs, context)
    names = [*(["incoming"] if asked.incoming else []), *context.sources]
    details = {"combine": asked.combine, "members": dict(zip(names, weights, strict=True))}
    return StageResult(joined, details=details)


def join(
    members: Sequence[tf_keras.Model], weights: Sequence[float], combine: Combine, outputs: Outputs, name: str
) -> tf_keras.Model:
    """One functional model over new inputs; the members are copied with their weights.

    Args:
        members: functional or sequential, with the same inputs and outputs.
        weights: one per member; they sum to 1.
        combine: what is combined.
        outputs: what the outputs mean.
        name: of the result.

    Raises:
        StageError: a layer cannot be copied.
    """
    first = members[0]
    inputs = [
        tf_keras.Input(tensor.shape[1:], batch_size=tensor.shape[0], dtype=tensor.dtype, name=port)
        for tensor, port in zip(first.inputs, first.input_names, strict=True)
    ]
    taken = set(first.input_names)
    answers = []
    for number, member in enumerate(members, start=1):
        prefix = "" if number == 1 else _free_prefix(number, member, taken)
        answers.append(_copy(member, inputs, prefix, linear=combine == "logits" and not outputs.are_logits))
        taken |= {prefix + layer.name for layer in member.layers}
    last = "ensemble" if "ensemble" not in taken else f"ensemble_of_{len(members)}"
    return tf_keras.Model(inputs, combined(answers, weights, combine, outputs, last), name=name)


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
    if asked.incoming and "quantized" in workload.traits:
        problems.append(
            Mistake(
                (), "cannot follow qat: join the members first, and put qat behind the ensemble", code="stage_order"
            )
        )
    return problems


def _unfit_combination(model: tf_keras.Model, asked: Ensembling, workload: Workload) -> list[Mistake]:
    loss, squash = workload.compile.loss_kind, Outputs.of(workload.compile).squash
    problems: list[Mistake] = []
    if asked.combine == "logits" and squash is None:
        problems.append(
            Mistake(("combine",), f"is 'logits', but {loss} is no loss of a classification", code="incompatible_loss")
        )
    if asked.combine == "vote" and squash != "softmax":
        problems.append(
            Mistake(
                ("combine",),
                f"is 'vote', but with {loss} there is no one class out of several to vote for",
                code="incompatible_loss",
            )
        )
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


def _learned(
    members: Sequence[tf_keras.Model], combine: Combine, outputs: Outputs, context: StageContext
) -> list[float]:
    split = context.data.validation
    answers = np.stack([only(predict(member, split), "outputs").astype(np.float64) for member in members])
    targets = np.asarray(split.targets)
    if outputs.squash != "softmax":
        loss = member_weights.squared_error(answers, targets.astype(np.float64))
    else:
        labels = targets if targets.ndim < answers.ndim - 1 else targets.argmax(axis=-1)
        if combine == "logits" and not outputs.are_logits:
            answers = logits_of(answers, outputs)
        elif combine != "logits" and outputs.are_logits:
            answers = probabilities_of(answers, outputs)
        flat, labels = answers.reshape(len(members), -1, answers.shape[-1]), labels.reshape(-1)
        ignored = ignored_class(context.compile)
        counts = slice(None) if ignored is None else labels != ignored
        loss = member_weights.likelihood(flat[:, counts], labels[counts], logits=combine == "logits")
    # Zero would leave a member in the file that is never heard.
    weights = np.maximum(member_weights.least(loss, len(members)), 1e-4)
    return [float(weight) for weight in weights / weights.sum()]


def _prove(
    joined: tf_keras.Model,
    members: Sequence[tf_keras.Model],
    weights: Sequence[float],
    combine: Combine,
    outputs: Outputs,
    context: StageContext,
) -> None:
    split = context.data.train.select(np.arange(min(_PROBE, len(context.data.train))))
    answers = np.stack([only(predict(member, split), "outputs") for member in members])
    wanted = combined_values(answers, weights, combine, outputs)
    if differing := difference(wanted, only(predict(joined, split), "outputs"), _TOLERANCE):
        raise StageError(
            "the outputs of the joined model differ from those of its members: "
            f"the largest difference is {differing.largest}.",
            code="not_equivalent",
        )


def _copy(model: tf_keras.Model, inputs: Sequence[tf.Tensor], prefix: str, *, linear: bool) -> tf.Tensor:
    """The output of a copy of a model on other inputs, its layers renamed, and on request without its last softmax."""
    functional = tf_keras.Model(model.inputs, model.outputs)
    last = functional.get_layer(model.output_names[0]) if linear else None

    def copy(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        if layer is last and isinstance(layer, tf_keras.layers.Softmax):
            return tf_keras.layers.Activation("linear", name=prefix + layer.name)
        config = {**layer.get_config(), "name": prefix + layer.name}
        if layer is last:
            config["activation"] = "linear"
        return guarded(lambda: type(layer).from_config(config), f"Copying the layer {layer.name!r}")

    copied = tf_keras.models.clone_model(functional, input_tensors=list(inputs), clone_function=copy)
    for layer in functional.layers:
        if layer.weights:
            copied.get_layer(prefix + layer.name).set_weights(layer.get_weights())
    return copied.outputs[0]


def _free_prefix(number: int, member: tf_keras.Model, taken: set[str]) -> str:
    """What makes the names of a member's layers differ from all others."""
    while any(f"member{number}_{layer.name}" in taken for layer in member.layers):
        number += 1
    return f"member{number}_"


def _can_be_linear(model: tf_keras.Model) -> bool:
    layer = model.get_layer(model.output_names[0])
    if isinstance(layer, tf_keras.layers.Softmax):
        return True
    return getattr(getattr(layer, "activation", None), "__name__", None) in ("softmax", "sigmoid")
