"""Sparsity that is decided while a stage trains: by a metric, or over all layers together.

The decisions fall between two steps, on the host: before a step that renews masks (`Extras.pauses`), and at the end of
an epoch. Each is a function of what is in the checkpoint, so a stage that was killed decides the same again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import Any

import tensorflow as tf

from tfopt.backend.pruning.allocation import global_shares
from tfopt.backend.pruning.masks import PruneByOptimizer
from tfopt.backend.pruning.plan import LayerPlan
from tfopt.backend.pruning.schedules import renewal_steps
from tfopt.backend.training.monitor import higher_is_better, watched
from tfopt.core.config.allocation import Allocation, GlobalAllocation, global_allocation
from tfopt.core.config.schedules import LadderState, Metric, ResolvedSchedule


class Group:
    """Layers that follow one schedule whose renewals are decided while training.

    Args:
        schedule: in optimizer steps of the stage.
        wrappers: the layers; their schedules are `Steered`.
        allocation: how the group's sparsity is shared out among its layers; None where each has the same.
    """

    def __init__(
        self, schedule: ResolvedSchedule, wrappers: Sequence[PruneByOptimizer], allocation: GlobalAllocation | None
    ) -> None:
        self.schedule, self.wrappers, self.allocation = schedule, wrappers, allocation
        self.pauses = renewal_steps(schedule)

    @property
    def variables(self) -> list[tf.Variable]:
        """What has to be in a checkpoint."""
        steered = [wrapper.pruning_schedule for wrapper in self.wrappers]
        return [variable for one in steered for variable in (one.sparsity, one.renew_at)]

    def before_step(self, step: int) -> None:
        """Decides, before one of `pauses`, what its renewal will be."""
        self.renew(step, self.schedule.sparsity_at(step))

    def after_epoch(self, entry: Mapping[str, float]) -> None:
        """Takes note of what an epoch's validation gave."""

    def renew(self, step: int, sparsity: float) -> None:
        """Has the masks renewed in a step, which is the next one."""
        shares = [sparsity] * len(self.wrappers)
        if self.allocation is not None:
            shares = global_shares(self.wrappers, self.allocation, sparsity)
        for wrapper, share in zip(self.wrappers, shares, strict=True):
            wrapper.pruning_schedule.renew(step, share)

    def goals(self) -> dict[str, float]:
        """The sparsity that each layer was last told to have."""
        return {wrapper.layer.name: float(wrapper.pruning_schedule.sparsity) for wrapper in self.wrappers}

    def details(self) -> dict[str, Any]:
        """What came out, for the report."""
        return {"kind": self.schedule.schedule.kind, "layers": self.goals()}


class MetricGroup(Group):
    """Layers whose sparsity rises as a metric allows."""

    def __init__(
        self,
        schedule: ResolvedSchedule,
        wrappers: Sequence[PruneByOptimizer],
        allocation: GlobalAllocation | None,
        epoch: int,
    ) -> None:
        super().__init__(schedule, wrappers, allocation)
        self.written: Metric = schedule.schedule
        self.ladder = self.written.ladder(higher_is_better(self.written.monitor))
        starts = [step + 1 for step in range(epoch, schedule.end, epoch) if step >= schedule.begin]
        self.pauses = sorted({*([max(schedule.begin, 1)] if self.written.initial else []), *starts})
        # One variable, so that an interruption finds all of it old or all of it new: the last epoch taken note of, the
        # rung, the best value (NaN before the first), and the step of the latest climb.
        self._state = tf.Variable([0.0, 0.0, nan, 0.0], trainable=False, dtype=tf.float64, name="ladder")

    @property
    def variables(self) -> list[tf.Variable]:
        return [*super().variables, self._state]

    @property
    def state(self) -> LadderState:
        """Where on the ladder the layers are."""
        _, rung, best, _ = self._state.numpy()
        return LadderState(int(rung), None if isnan(best) else float(best))

    def before_step(self, step: int) -> None:
        climbed_at = int(self._state.numpy()[3])
        if step == climbed_at or (self.state.rung == 0 and step == max(self.schedule.begin, 1)):
            self.renew(step, self.ladder.sparsity(self.state))

    def after_epoch(self, entry: Mapping[str, float]) -> None:
        known, _, _, climbed_at = self._state.numpy()
        epoch, step = int(entry["epoch"]), int(entry["step"])
        if epoch <= known:
            return
        value = watched(self.written.monitor, entry, "schedule")
        may_climb = self.schedule.begin <= step < self.schedule.end
        state = self.ladder.advance(self.state, value) if may_climb else self.ladder.watch(self.state, value)
        if state.rung != self.state.rung:
            climbed_at = step + 1
        self._state.assign([epoch, state.rung, nan if state.best is None else state.best, climbed_at])

    def details(self) -> dict[str, Any]:
        state = self.state
        return {
            **super().details(),
            "rung": state.rung,
            "rungs": self.written.rungs,
            "monitor": self.written.monitor,
            "best": state.best,
            "sparsity": self.ladder.sparsity(state),
        }

    def shortfall(self) -> str | None:
        """What to say where the metric did not allow the final sparsity; None where it did."""
        state = self.state
        if state.rung == self.written.rungs:
            return None
        reached = f"{self.ladder.sparsity(state):.1%} (rung {state.rung} of {self.written.rungs})"
        best = "no value" if state.best is None else f"{state.best:.4g}"
        return (
            f"sparsity stopped at {reached} instead of {self.written.final:.1%}: {self.written.monitor} was not within "
            f"{self.written.tolerance:.1%} of its best ({best}) often enough."
        )


class Steering:
    """All groups of a stage."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = tuple(groups)
        self.pauses = tuple(sorted({step for group in groups for step in group.pauses}))
        self.variables = [variable for group in groups for variable in group.variables]

    def before_step(self, step: int) -> None:
        """Lets every group decide that has something to decide before this step."""
        for group in self.groups:
            if step in group.pauses:
                group.before_step(step)

    def after_epoch(self, entry: Mapping[str, float]) -> None:
        """Tells every group what an epoch's validation gave."""
        for group in self.groups:
            group.after_epoch(entry)

    def goals(self) -> dict[str, float]:
        """The sparsity that each steered layer was last told to have."""
        return {name: goal for group in self.groups for name, goal in group.goals().items()}

    def shortfalls(self) -> list[str]:
        """What to say of every group that did not reach its final sparsity."""
        found = [group.shortfall() for group in self.groups if isinstance(group, MetricGroup)]
        return [text for text in found if text is not None]


def steer(
    plans: Mapping[str, LayerPlan], wrappers: Sequence[PruneByOptimizer], allocation: Allocation, steps_per_epoch: int
) -> Steering:
    """Groups the layers whose sparsity is decided while training.

    Args:
        plans: how each layer is pruned, by its name.
        wrappers: of all layers that are pruned.
        allocation: of the layers that are pooled.
        steps_per_epoch: optimizer steps of one epoch.
    """
    members: dict[tuple[bool, ResolvedSchedule], list[PruneByOptimizer]] = {}
    for wrapper in wrappers:
        plan = plans[wrapper.layer.name]
        if plan.steered:
            members.setdefault((plan.pooled, plan.schedule), []).append(wrapper)
    groups = []
    for (pooled, schedule), layers in members.items():
        how = global_allocation(allocation) if pooled else None
        if isinstance(schedule.schedule, Metric):
            groups.append(MetricGroup(schedule, layers, how, steps_per_epoch))
        else:
            groups.append(Group(schedule, layers, how))
    return Steering(groups)
