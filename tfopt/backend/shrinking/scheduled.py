"""Removal while training: units that will go are held without effect, more of them from update to update."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.graph.layers import layer_paths
from tfopt.backend.pruning.units import UnitSlices
from tfopt.backend.shrinking.choices import Choice
from tfopt.backend.shrinking.graph.types import Kept
from tfopt.backend.shrinking.scores import units_of
from tfopt.backend.training.hooks import ForwardPass, GradientsOf, TrainingHook, TrainingSetup
from tfopt.core.config.schedules import ResolvedSchedule


class ScheduledRemoval(TrainingHook):
    """Holds the weights that read removed units at zero.

    A unit that nothing reads has no effect, whatever its own weights are; they stay, so that it can come back where a
    schedule gives units back, and so that it can be taken out in the end without a change of the outputs.

    Args:
        model: the model in training.
        choices: groups that are narrowed.
        schedule: share of the cost that is gone by step.
        decide: units that stay when this share of the cost is gone.
        recover: called before units are silenced that were not before, with those that stay.
    """

    def __init__(
        self,
        model: tf_keras.Model,
        choices: Sequence[Choice],
        schedule: ResolvedSchedule,
        decide: Callable[[float], Kept],
        recover: Callable[[Kept], None] | None = None,
    ) -> None:
        self._choices, self._schedule, self._decide, self._recover = choices, schedule, decide, recover
        self._updates = {max(step, 1): share for step, share in schedule.mask_updates}
        layers = dict(layer_paths(model))
        self._readers: dict[str, list[UnitSlices]] = {
            choice.name: [
                UnitSlices(layers[one.layer].weights[one.weight], one.axis, one.positions)
                for one in choice.group.of_role("consumes")
            ]
            for choice in choices
        }
        weights = {part.weights.ref(): part.weights for parts in self._readers.values() for part in parts}
        self._weights = list(weights.values())
        self._masks = [tf.Variable(tf.ones_like(one), trainable=False) for one in self._weights]
        self._gone = tf.Variable(0.0, trainable=False)
        self._kept = {choice.name: tf.Variable(tf.ones(choice.group.units), trainable=False) for choice in choices}

    @property
    def variables(self) -> Sequence[tf.Variable]:
        return [*self._masks, self._gone, *self._kept.values()]

    @property
    def decision_steps(self) -> Sequence[int]:
        return sorted(self._updates)

    @property
    def early_stopping_from(self) -> int | None:
        return self._schedule.end

    @property
    def kept(self) -> dict[str, tuple[int, ...]]:
        """The units that stay now, of the groups that are narrowed."""
        found = {}
        for name, variable in self._kept.items():
            values = variable.numpy()
            if not values.all():
                found[name] = tuple(int(unit) for unit in np.flatnonzero(values))
        return found

    def before_step(self, step: int) -> None:
        share = self._updates[step]
        kept = self._decide(share)
        if self._recover is not None and self._goes(kept):
            self._recover(kept)
        self._gone.assign(share)
        masks = {weight.ref(): np.ones(weight.shape, np.float32) for weight in self._weights}
        for choice in self._choices:
            stays = set(kept.get(choice.name, range(choice.group.units)))
            self._kept[choice.name].assign([float(unit in stays) for unit in range(choice.group.units)])
            for part in self._readers[choice.name]:
                gone = [p for unit, own in enumerate(part.positions) if unit not in stays for p in own]
                np.moveaxis(masks[part.weights.ref()], part.axis, 0)[gone] = 0
        for weight, mask in zip(self._weights, self._masks, strict=True):
            mask.assign(masks[weight.ref()])
        self.project_weights()

    def _goes(self, kept: Kept) -> bool:
        """Whether a unit goes that is there now."""
        now = self.kept
        every = {choice.name: range(choice.group.units) for choice in self._choices}
        return any(set(now.get(name, every[name])) - set(kept.get(name, every[name])) for name in every)

    def after_update(self, gradients_of: GradientsOf) -> None:
        for weight, mask in zip(self._weights, self._masks, strict=True):
            weight.assign(weight * mask)

    def project_weights(self) -> None:
        for weight, mask in zip(self._weights, self._masks, strict=True):
            weight.assign(weight * mask)

    def sparsity(self) -> float:
        """Share of the cost that is gone."""
        return float(self._gone.numpy())

    def planned_sparsity(self, step: int) -> float:
        """Share of the cost that is to be gone after a number of steps."""
        return self._schedule.sparsity_at(step)


class GroupLasso(TrainingHook):
    """Adds the norms of the weights that produce each unit to the loss (Wen et al. 2016, arXiv:1608.03665).

    Args:
        model: the model in training.
        choices: groups whose units are drawn to zero.
        factor: of the sum.
    """

    def __init__(self, model: tf_keras.Model, choices: Sequence[Choice], factor: float) -> None:
        self._factor = factor
        self._parts = [part for choice in choices for part in units_of(choice.group, model).producing]

    @property
    def parts(self) -> Sequence[str]:
        return ("group_lasso",)

    def start(self, setup: TrainingSetup) -> None:
        self._indices = [[list(one) for one in part.positions if one] for part in self._parts]

    def loss(self, forward: ForwardPass, loss: tf.Tensor) -> tuple[tf.Tensor, Mapping[str, tf.Tensor]]:
        terms = [_norms(part, indices) for part, indices in zip(self._parts, self._indices, strict=True)]
        lasso = self._factor * tf.add_n(terms)
        return loss + lasso, {"group_lasso": lasso}


def _norms(part: UnitSlices, indices: list[list[int]]) -> tf.Tensor:
    """Sum over the units of the norm of their weights, times the root of how many they are."""
    axes = [part.axis, *(axis for axis in range(len(part.weights.shape)) if axis != part.axis)]
    rows = tf.reshape(tf.transpose(part.weights, axes), (part.weights.shape[part.axis], -1))
    owners = np.concatenate([np.full(len(one), unit) for unit, one in enumerate(indices)])
    squares = tf.reduce_sum(tf.square(tf.gather(rows, np.concatenate(indices).astype(np.int32))), axis=1)
    sums = tf.math.segment_sum(squares, owners.astype(np.int32))
    size = math.prod(part.weights.shape) / len(indices)
    return math.sqrt(size) * tf.reduce_sum(tf.sqrt(sums + 1e-12))
