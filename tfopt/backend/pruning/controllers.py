"""Sparsity that is decided while a stage trains: by a metric, by a threshold, or over all layers together.

The decisions fall between two steps, on the host: before a step that updates masks (`TrainingHook.decision_steps`), and
at the end of an epoch. Each is a function of what is in the checkpoint, so a resumed stage decides the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import isnan, nan

import tensorflow as tf

from tfopt.backend.pruning.allocation import global_shares, num_weights
from tfopt.backend.pruning.below import kept_weights
from tfopt.backend.pruning.blocks import block_shares
from tfopt.backend.pruning.masks import PruneByOptimizer
from tfopt.backend.pruning.plan import LayerPlan
from tfopt.backend.pruning.schedules import update_steps
from tfopt.backend.training.hooks import TrainingHook
from tfopt.backend.training.monitor import monitored
from tfopt.core.config.allocation import Allocation, GlobalAllocation, global_allocation
from tfopt.core.config.pruning import PrunedUnit
from tfopt.core.config.schedules import LevelState, Metric, ResolvedSchedule, Threshold
from tfopt.core.config.training.keras_names import higher_is_better

Shares = Callable[[Sequence[PruneByOptimizer], float], list[float]]
"""The sparsity of each layer, by that of all together."""


class Group:
    """Layers that follow one schedule whose mask_updates are decided while training.

    Args:
        schedule: in optimizer steps of the stage.
        wrappers: the layers; their schedules are `ControlledSchedule`.
        shares: how the group's sparsity is shared out among its layers; None where each has the same.
    """

    def __init__(self, schedule: ResolvedSchedule, wrappers: Sequence[PruneByOptimizer], shares: Shares | None) -> None:
        self.schedule, self.wrappers, self.shares = schedule, wrappers, shares
        self.decision_steps = update_steps(schedule)

    @property
    def variables(self) -> list[tf.Variable]:
        """Variables that a checkpoint must contain."""
        controlled = [wrapper.pruning_schedule for wrapper in self.wrappers]
        return [variable for one in controlled for variable in (one.sparsity, one.update_at)]

    def before_step(self, step: int) -> None:
        """Decides, before one of `decision_steps`, what its update will be."""
        self.update_masks(step, self.schedule.sparsity_at(step))

    def after_epoch(self, entry: Mapping[str, float]) -> None:
        """Receives the history entry of an epoch."""

    def update_masks(self, step: int, sparsity: float) -> None:
        """Lets the masks be updated in a step, which is the next one."""
        shares = [sparsity] * len(self.wrappers)
        if self.shares is not None:
            shares = self.shares(self.wrappers, sparsity)
        for wrapper, share in zip(self.wrappers, shares, strict=True):
            wrapper.pruning_schedule.update_masks(step, share)

    def target_sparsities(self) -> dict[str, float]:
        """The sparsity last set for each layer."""
        return {wrapper.layer.name: float(wrapper.pruning_schedule.sparsity.numpy()) for wrapper in self.wrappers}

    def details(self) -> dict[str, object]:
        """Details for the report."""
        return {"kind": self.schedule.schedule.kind, "layers": self.target_sparsities()}


class MetricGroup(Group):
    """Layers whose sparsity rises as a metric allows."""

    def __init__(
        self,
        schedule: ResolvedSchedule,
        metric: Metric,
        wrappers: Sequence[PruneByOptimizer],
        shares: Shares | None,
        epoch: int,
    ) -> None:
        super().__init__(schedule, wrappers, shares)
        self.written = metric
        self.levels = self.written.sparsity_levels(higher_is_better(self.written.monitor))
        starts = [step + 1 for step in range(epoch, schedule.end, epoch) if step >= schedule.begin]
        self.decision_steps = sorted({*([max(schedule.begin, 1)] if self.written.initial else []), *starts})
        # One variable, so that an interruption finds all of it old or all of it new: the last epoch recorded, the
        # level, the best value (NaN before the first), and the step of the latest rise.
        self._state = tf.Variable([0.0, 0.0, nan, 0.0], trainable=False, dtype=tf.float64, name="levels")

    @property
    def variables(self) -> list[tf.Variable]:
        return [*super().variables, self._state]

    @property
    def state(self) -> LevelState:
        """Where on the levels the layers are."""
        _, level, best, _ = self._state.numpy()
        return LevelState(int(level), None if isnan(best) else float(best))

    def before_step(self, step: int) -> None:
        raised_at = int(self._state.numpy()[3])
        if step == raised_at or (self.state.level == 0 and step == max(self.schedule.begin, 1)):
            self.update_masks(step, self.levels.sparsity(self.state))

    def after_epoch(self, entry: Mapping[str, float]) -> None:
        known, _, _, raised_at = self._state.numpy()
        epoch, step = int(entry["epoch"]), int(entry["step"])
        if epoch <= known:
            return
        value = monitored(self.written.monitor, entry, "schedule")
        may_rise = self.schedule.begin <= step < self.schedule.end
        state = self.levels.advance(self.state, value) if may_rise else self.levels.record(self.state, value)
        if state.level != self.state.level:
            raised_at = step + 1
        self._state.assign([epoch, state.level, nan if state.best is None else state.best, raised_at])

    def details(self) -> dict[str, object]:
        state = self.state
        return {
            **super().details(),
            "rung": state.level,
            "rungs": self.written.rungs,
            "monitor": self.written.monitor,
            "best": state.best,
            "sparsity": self.levels.sparsity(state),
        }

    def unmet_target(self) -> str | None:
        """A message where the metric did not allow the final sparsity; None where it did."""
        state = self.state
        if state.level == self.written.rungs:
            return None
        reached = f"{self.levels.sparsity(state):.1%} (level {state.level} of {self.written.rungs})"
        best = "no value" if state.best is None else f"{state.best:.4g}"
        return (
            f"sparsity stopped at {reached} instead of {self.written.final:.1%}: {self.written.monitor} was not within "
            f"{self.written.tolerance:.1%} of its best ({best}) often enough."
        )


class ThresholdGroup(Group):
    """Layers that lose every weight below a threshold."""

    def __init__(self, schedule: ResolvedSchedule, threshold: Threshold, wrappers: Sequence[PruneByOptimizer]) -> None:
        super().__init__(schedule, wrappers, None)
        self._threshold = threshold

    def update_masks(self, step: int, sparsity: float) -> None:
        for wrapper in self.wrappers:
            wrapper.pruning_schedule.update_masks(step, self._zeros(wrapper) / num_weights(wrapper))

    def _zeros(self, wrapper: PruneByOptimizer) -> int:
        """Weights of a layer that will be zero."""
        kept = [kept_weights(wrapper.criterion.scores(one), self._threshold) for one, _, _ in wrapper.pruning_vars]
        return num_weights(wrapper) - sum(int(tf.math.count_nonzero(one)) for one in kept)

    def details(self) -> dict[str, object]:
        return {**super().details(), "below": self._threshold.below}

    def unmet_target(self) -> str | None:
        """A message where the threshold takes nothing, or more of some layers than it may."""
        found = self.target_sparsities()
        if not any(found.values()):
            return f"no weight of {', '.join(found)} has a score below {self._threshold.below:g}: nothing is zero."
        slack = {wrapper.layer.name: 0.005 + 1 / num_weights(wrapper) for wrapper in self.wrappers}  # one weight stays
        full = [name for name, share in found.items() if share > self._threshold.ceiling - slack[name]]
        if not full:
            return None
        return (
            f"schedule.below {self._threshold.below:g} is above nearly all weights of {', '.join(full)}: at most "
            f"{self._threshold.ceiling:.1%} of a kernel may be zero (schedule.ceiling), and the largest weights stay."
        )


class SparsityController(TrainingHook):
    """The hook that decides the sparsity of all groups of a stage."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = tuple(groups)
        self._decision_steps = tuple(sorted({step for group in groups for step in group.decision_steps}))

    @property
    def decision_steps(self) -> Sequence[int]:
        return self._decision_steps

    @property
    def variables(self) -> Sequence[tf.Variable]:
        return [variable for group in self.groups for variable in group.variables]

    def before_step(self, step: int) -> None:
        for group in self.groups:
            if step in group.decision_steps:
                group.before_step(step)

    def after_epoch(self, entry: Mapping[str, float]) -> None:
        for group in self.groups:
            group.after_epoch(entry)

    def target_sparsities(self) -> dict[str, float]:
        """The sparsity last set for each controlled layer."""
        return {name: goal for group in self.groups for name, goal in group.target_sparsities().items()}

    def unmet_targets(self) -> list[str]:
        """Messages about groups that did not reach their final sparsity, or whose threshold takes nothing or all."""
        found = [group.unmet_target() for group in self.groups if isinstance(group, MetricGroup | ThresholdGroup)]
        return [text for text in found if text is not None]


def make_controller(
    plans: Mapping[str, LayerPlan], wrappers: Sequence[PruneByOptimizer], allocation: Allocation, steps_per_epoch: int
) -> SparsityController:
    """Groups the layers whose sparsity is decided while training.

    Args:
        plans: how each layer is pruned, by its name.
        wrappers: of all layers that are pruned.
        allocation: of the layers that are pooled.
        steps_per_epoch: optimizer steps of one epoch.
    """
    members: dict[tuple[bool, PrunedUnit | None, int | None, ResolvedSchedule], list[PruneByOptimizer]] = {}
    for wrapper in wrappers:
        plan = plans[wrapper.layer.name]
        if plan.controlled:
            rule = None if plan.block is None else plan.block[0]
            members.setdefault((plan.pooled, plan.pattern.unit, rule, plan.schedule), []).append(wrapper)
    groups: list[Group] = []
    for (pooled, _, rule, schedule), layers in members.items():
        shares: Shares | None = None
        if rule is not None:
            blocks = {name: plan.block[1] for name, plan in plans.items() if plan.block is not None}
            shares = partial(_in_blocks, blocks)
        elif pooled and (how := global_allocation(allocation)) is not None:
            shares = partial(_under_one_threshold, how)
        if isinstance(schedule.schedule, Metric):
            groups.append(MetricGroup(schedule, schedule.schedule, layers, shares, steps_per_epoch))
        elif isinstance(schedule.schedule, Threshold):
            groups.append(ThresholdGroup(schedule, schedule.schedule, layers))
        else:
            groups.append(Group(schedule, layers, shares))
    return SparsityController(groups)


def _in_blocks(blocks: Mapping[str, str], wrappers: Sequence[PruneByOptimizer], sparsity: float) -> list[float]:
    return block_shares(wrappers, blocks, sparsity)


def _under_one_threshold(
    allocation: GlobalAllocation, wrappers: Sequence[PruneByOptimizer], sparsity: float
) -> list[float]:
    return global_shares(wrappers, allocation, sparsity)
