"""Scores of units: what a criterion says about each channel and head of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.data.batches import evaluation_batches
from tfopt.backend.data.drawing import random_order
from tfopt.backend.data.splits import Split
from tfopt.backend.graph.layers import layer_paths
from tfopt.backend.pruning.criterion import Criterion
from tfopt.backend.pruning.units import Units, UnitSlices
from tfopt.backend.shrinking.choices import Choice, watched_site
from tfopt.backend.shrinking.graph import singular_values
from tfopt.backend.shrinking.graph.types import Member, OutputSite, ShrinkGroup
from tfopt.backend.training.compile import label_loss
from tfopt.backend.types import Array
from tfopt.core.config.training.compile import Compile
from tfopt.errors import StageError

Scores = Mapping[str, Array]
"""One score per unit, (units,), by name of the group."""

_BATCH = 64


def calibration_split(split: Split, examples: int, seed: int) -> Split:
    """Random training examples from which gradients, activations and reconstructions are computed.

    Args:
        split: the training split.
        examples: how many; all where it has fewer.
        seed: of the choice.
    """
    return split.select(random_order(len(split), seed)[:examples])


def units_of(group: ShrinkGroup, model: tf_keras.Model) -> Units:
    """The weights of each unit of a group, as criteria see them."""
    layers = dict(layer_paths(model))

    def slices(member: Member) -> UnitSlices:
        return UnitSlices(layers[member.layer].weights[member.weight], member.axis, member.positions)

    kernels = [m for m in group.members if len(layers[m.layer].weights[m.weight].shape) > 1]
    return Units(
        group.name,
        group.units,
        producing=tuple(slices(m) for m in kernels if m.role == "produces"),
        consuming=tuple(slices(m) for m in kernels if m.role == "consumes"),
        scales=tuple(
            slices(m)
            for m in group.members
            if isinstance(layers[m.layer], tf_keras.layers.BatchNormalization)
            and layers[m.layer].weights[m.weight] is layers[m.layer].gamma
        ),
    )


def tracked_kernels(choices: Sequence[Choice], model: tf_keras.Model) -> list[tf.Variable]:
    """The kernels that a criterion scores, each once."""
    found = [part.weights for choice in choices if _scored(choice) for part in units_of(choice.group, model).producing]
    return list({kernel.ref(): kernel for kernel in found}.values())


def unit_scores(
    model: tf_keras.Model, choices: Sequence[Choice], criterion: Criterion, calibration: Split, compile: Compile
) -> Scores:
    """Scores every unit that can be removed.

    Args:
        model: its weights are not changed.
        choices: the groups.
        criterion: one that scores by what happened in training has been tracking; every other is fresh.
        calibration: examples of which it is shown gradients or activations.
        compile: the loss of the gradients.

    Returns:
        Finite and not negative.

    Raises:
        StageError: a score is not finite.
    """
    if criterion.needs != "training":
        criterion.track(tracked_kernels(choices, model))
    if criterion.needs == "gradients":
        _show_gradients(model, criterion, calibration, compile)
    elif criterion.needs == "activations":
        _show_activations(model, choices, criterion, calibration)
    found = {choice.name: _scores_of(model, choice.group, criterion) for choice in choices}
    broken = [name for name, scores in found.items() if not np.isfinite(scores).all()]
    if broken:
        raise StageError(
            f"criterion {criterion.kind} gives units of {broken[0]} a score that is not finite.",
            "Weights or gradients are not finite: check the stage before.",
            code="loss_not_finite",
        )
    return found


def _scored(choice: Choice) -> bool:
    """Whether a criterion scores the units of a group."""
    return not choice.group.branch and choice.group.kind != "rank"


def _scores_of(model: tf_keras.Model, group: ShrinkGroup, criterion: Criterion) -> Array:
    if group.branch:
        # A whole branch is judged by the loss without it (`allocation: sensitivity`), not by a criterion.
        return np.zeros(group.units)
    if group.kind == "rank":
        # The square of a singular value is what the kernel loses without it: here as a share of the whole kernel.
        squares = np.square(singular_values(model, group).astype(np.float64))
        return squares / max(float(squares.sum()), 1e-30)
    return np.asarray(criterion.unit_scores(units_of(group, model)))


def comparable(scores: Scores, criterion: Criterion) -> Scores:
    """Scores that can be compared across groups: those of estimates of the loss as they are, others over their mean."""
    if criterion.in_loss:
        return scores
    return {name: values / max(float(values.mean()), 1e-30) for name, values in scores.items()}


def _show_gradients(model: tf_keras.Model, criterion: Criterion, calibration: Split, compile: Compile) -> None:
    loss = label_loss(compile)

    @tf.function
    def gradients(inputs: object, targets: tf.Tensor) -> list[tf.Tensor | None]:
        with tf.GradientTape() as tape:
            value = loss(targets, model(inputs, training=False))
        result: list[tf.Tensor | None] = tape.gradient(value, model.trainable_variables)
        return result

    for inputs, targets in evaluation_batches(calibration, _BATCH):
        criterion.on_gradients(list(zip(gradients(inputs, targets), model.trainable_variables, strict=True)))


def _show_activations(
    model: tf_keras.Model, choices: Sequence[Choice], criterion: Criterion, calibration: Split
) -> None:
    # `choices_of` leaves groups alone that have no site.
    units = [choice.group for choice in choices if _scored(choice)]
    sites = {group.name: site for group in units if (site := watched_site(group)) is not None}
    watched = tf_keras.Model(model.inputs, [model.get_layer(site.layer).output for site in sites.values()])
    for inputs, _ in evaluation_batches(calibration, _BATCH):
        for (name, site), values in zip(sites.items(), tf.nest.flatten(watched(inputs, training=False)), strict=True):
            criterion.observe(name, _by_unit(values.numpy(), site))


def _by_unit(values: Array, site: OutputSite) -> Array:
    """Activations as (places, units); of a unit with several positions each is a place."""
    last = np.moveaxis(values, site.axis, -1)
    rows = last.reshape(-1, last.shape[-1])
    length = min(len(one) for one in site.positions)
    taken = np.stack([rows[:, list(one[:length])] for one in site.positions], axis=-1)
    return taken.reshape(-1, len(site.positions))
