"""What a pruning criterion is, and how a recipe's name becomes one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import tensorflow as tf

from tfopt.backend.training.hooks import TrainingHook
from tfopt.catalog.catalog import class_of
from tfopt.catalog.entries import find
from tfopt.core.config.pruning import DEFAULT_CRITERION
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.suggest import closest


class Criterion(TrainingHook):
    """Scores the weights of a kernel: the larger the score, the more important the weight.

    Who calls `scores`, always with the same object of a stage:

    * the masks (`tfopt.backend.pruning.masks`), inside the training step in which a mask is updated: the weights with
      the smallest scores become zero. Blocks are ranked by the pooled scores of their weights.
    * `allocation: global` (`tfopt.backend.pruning.allocation`), between two steps: the scores of all layers are
      compared with one threshold, so they must be comparable across layers.

    A criterion is a training hook as well: it can read gradients (`on_gradients`), ask for features or add a term to
    the loss, together with a teacher and other hooks; whatever it accumulates belongs into `variables`.

    The store key of a prune stage contains the name of its criterion, not its code: after changing a criterion, give it
    a different name or run with `--fresh`, or stored results of the old code are reused.

    Class attributes:
        kind: its name in a recipe, set from the file's name or the entry point `tfopt.criteria`.
    """

    kind: ClassVar[str] = ""

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


def criterion_problems(name: str | None) -> list[Mistake]:
    """A mistake where a recipe names an unknown criterion."""
    known = find("criteria")
    if name is None or name in known:
        return []
    hint = closest(name, known) or f" Known criteria: {', '.join(known)}."
    return [Mistake(("criterion",), f"is {name!r}, which is not a criterion.{hint}", code="unknown_name")]
