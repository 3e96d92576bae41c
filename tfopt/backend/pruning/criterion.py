"""What a pruning criterion is, and how a recipe's name becomes one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

import numpy as np
import tensorflow as tf

from tfopt.backend.pruning.units import Units
from tfopt.backend.training.hooks import TrainingHook
from tfopt.backend.types import Array
from tfopt.catalog.catalog import class_of
from tfopt.catalog.entries import find
from tfopt.core.config.pruning import DEFAULT_CRITERION
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.suggest import closest

Needs = Literal["weights", "gradients", "activations", "training"]
"""What a criterion scores by: the weights as they are, gradients or activations of training examples, or what happened
in the training steps before."""


class Criterion(TrainingHook):
    """Scores weights, or units (channels, heads): the larger the score, the more important.

    Who calls `scores`, always with the same object of a stage:

    * the masks (`tfopt.backend.pruning.masks`), inside the training step in which a mask is updated: the weights with
      the smallest scores become zero. Blocks are ranked by the pooled scores of their weights.
    * `allocation: global` (`tfopt.backend.pruning.allocation`), between two steps: the scores of all layers are
      compared with one threshold, so they must be comparable across layers.

    * `unit_scores`, unless that is overridden: the score of a unit is the sum over the weights that produce it.

    Who calls `unit_scores`: the shrink stage (`tfopt.backend.shrinking.scores`), which removes the units with the
    smallest scores. Before, it calls `track` with all kernels that produce a unit, and shows the criterion what it
    `needs`: gradients of calibration batches (`on_gradients`) or activations (`observe`).

    A criterion is a training hook as well: it can read gradients (`on_gradients`), ask for features or add a term to
    the loss, together with a teacher and other hooks; whatever it accumulates belongs into `variables`.

    The store key of a prune stage contains the name of its criterion, not its code: after changing a criterion, give it
    a different name or run with `--fresh`, or stored results of the old code are reused.

    Class attributes:
        kind: its name in a recipe, set from the file's name or the entry point `tfopt.criteria`.
        of_weights: whether it ranks single weights, as the prune stage does; if not, it ranks units only.
        needs: what it scores by.
        in_loss: whether its scores are estimates of a change of the loss, which can be compared across layers as they
            are; if not, the scores of each group of units are divided by their mean where groups are compared.
    """

    kind: ClassVar[str] = ""
    of_weights: ClassVar[bool] = True
    needs: ClassVar[Needs] = "weights"
    in_loss: ClassVar[bool] = False

    def track(self, kernels: Sequence[tf.Variable]) -> None:
        """Receives the kernels that will be pruned, before training; variables per kernel are made here."""

    def scores(self, kernel: tf.Variable) -> tf.Tensor:
        """The importance of each weight of a kernel.

        Args:
            kernel: one of the tracked kernels; weights that are masked now are zero in it.

        Returns:
            In the shape of the kernel; finite and not negative.
        """
        raise NotImplementedError

    def observe(self, group: str, values: Array) -> None:
        """Receives activations of the units of a group, where `needs` is `activations`.

        Args:
            group: name of the group.
            values: (places, units): what the layers behind the units read, one row per example and place.
        """

    def unit_scores(self, units: Units) -> Array:
        """The importance of each unit of a group.

        Args:
            units: where the weights of each unit are.

        Returns:
            (units,) float; finite and not negative.
        """
        return sum_per_unit(units, self.scores)


def sum_per_unit(units: Units, scores: Callable[[tf.Variable], tf.Tensor]) -> Array:
    """Sum of the scores of the weights that produce each unit: (units,).

    Args:
        units: where the weights of each unit are.
        scores: of a kernel, in its shape.
    """
    return np.sum([part.sums(scores(part.weights).numpy()) for part in units.producing], axis=0)


def make_criterion(name: str | None) -> Criterion:
    """The criterion of a stage.

    Args:
        name: of a file in `tfopt.backend.pruning.criteria` or of an entry point; None for magnitude.

    Raises:
        EnvironmentProblem: the entry point of a different package cannot be used.
        KeyError: there is no such criterion; `criterion_problems` reports it before.
    """
    name = name or DEFAULT_CRITERION
    return class_of(find("criteria")[name], "criteria", Criterion)()


def criterion_problems(name: str | None, ranked: Literal["weights", "units"] = "weights") -> list[Mistake]:
    """A mistake where a recipe names an unknown criterion, or one that does not rank what the stage removes.

    Args:
        name: as in the recipe; None for the default.
        ranked: what the stage removes.
    """
    known = find("criteria")
    if name is not None and name not in known:
        hint = closest(name, known) or f" Known criteria: {', '.join(known)}."
        return [Mistake(("criterion",), f"is {name!r}, which is not a criterion.{hint}", code="unknown_name")]
    if ranked == "weights" and name is not None and not make_criterion(name).of_weights:
        text = f"is {name!r}, which ranks channels and heads, not single weights: use it in a shrink stage"
        return [Mistake(("criterion",), text, code="conflicting_keys")]
    return []
