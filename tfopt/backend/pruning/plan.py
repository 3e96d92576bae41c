"""What a prune stage will do with each layer, found before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import tf_keras

from tfopt.backend.graph import layer_rules
from tfopt.backend.graph.kernels import prunable_kernels
from tfopt.backend.graph.layers import layer_type, leaf_layers
from tfopt.backend.pruning.blocks import block_of
from tfopt.backend.pruning.criterion import criterion_problems
from tfopt.backend.pruning.eligibility import (
    reason_not_in_blocks,
    reason_not_prunable,
    reason_not_xnnpack,
    reason_pattern_impossible,
)
from tfopt.backend.pruning.heads import heads_of, num_gone
from tfopt.backend.pruning.schedules import update_steps
from tfopt.core.config.layer_rules import last_match
from tfopt.core.config.pruning import Pattern, Pruning
from tfopt.core.config.schedules import Constant, Metric, OneShot, ResolvedSchedule, ScheduleBase, Threshold
from tfopt.core.contracts.preflight import Preflight, Workload
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.wording import counted
from tfopt.errors import Problem, RecipeError


@dataclass(frozen=True)
class LayerPlan:
    """How one layer is pruned.

    Args:
        schedule: in optimizer steps of the stage.
        pattern: how its zeros are arranged.
        pooled: its sparsity is decided over all layers together.
        block: position of the rule that makes blocks zero, and the name of the layer's block; None for others.
    """

    schedule: ResolvedSchedule
    pattern: Pattern
    pooled: bool = False
    block: tuple[int, str] | None = None

    @property
    def controlled(self) -> bool:
        """Whether its sparsity is decided while training, and not by the schedule alone."""
        return self.pooled or self.block is not None or isinstance(self.schedule.schedule, Metric | Threshold)

    @property
    def threshold(self) -> Threshold | None:
        """What decides alone which weights stay; None where the schedule says how many."""
        return self.schedule.schedule if isinstance(self.schedule.schedule, Threshold) else None


def _for_model(pruning: Pruning, model: tf_keras.Model) -> Pruning:
    """The same keys with rules that name each layer inside what they match (see `layer_rules.spelled_out`)."""
    return pruning.model_copy(update={"layers": layer_rules.spelled_out(pruning.layers, model, reason_not_prunable)})


def skip_reasons(model: tf_keras.Model, pruning: Pruning) -> dict[str, str | None]:
    """Why each layer will be left dense, or None where it will be pruned; by layer name, nested layers included.

    Raises:
        RecipeError: a rule matches no layer, a rule asks of a layer what cannot be done with it, or nothing is left to
            prune. Paths of the problems begin below the stage.
    """
    pruning = _for_model(pruning, model)
    return layer_rules.skip_reasons(
        model,
        pruning.layers,
        action=("prune", "pruned"),
        reason_impossible=reason_not_prunable,
        reason_skipped=lambda layer: _reason(layer, pruning),
        refused=lambda layer, reason: _refused_wish(layer, pruning, reason),
    )


def resolve_schedules(
    pruning: Pruning, layers: Mapping[str, str], total_steps: int, steps_per_epoch: int
) -> dict[str, ResolvedSchedule]:
    """The schedule of each layer in optimizer steps.

    Args:
        pruning: what the stage asks for.
        layers: Keras layer type by name of the layers that will be pruned (see `skip_reasons`).
        total_steps: optimizer steps of the stage.
        steps_per_epoch: optimizer steps of one epoch.

    Raises:
        RecipeError: a schedule would never begin or never end, or contradicts the layer's m-by-n pattern. Paths of the
            problems begin below the stage.
    """
    resolved: dict[str, ResolvedSchedule] = {}
    problems: dict[str, Problem] = {}
    for name, kind in layers.items():
        path = _schedule_path(pruning, name, kind)
        try:
            resolved[name] = _schedule(pruning, name, kind).resolve(total_steps, steps_per_epoch)
        except ValueError as error:
            problems.setdefault(
                str(path), Problem(path, f"({name}) {error}" if len(path) > 1 else str(error), code="outside_stage")
            )
    if problems:
        raise RecipeError(list(problems.values()))
    return resolved


def layer_plans(
    model: tf_keras.Model, pruning: Pruning, total_steps: int, steps_per_epoch: int
) -> dict[str, LayerPlan]:
    """How each layer that will be pruned is pruned, by name.

    Raises:
        RecipeError: as `skip_reasons` and `resolve_schedules`; or a rule for heads or blocks makes none of them zero.
    """
    written, pruning = pruning, _for_model(pruning, model)
    reasons = skip_reasons(model, pruning)
    found = {layer.name: layer for layer in leaf_layers(model) if reasons[layer.name] is None}
    kinds = {name: layer_type(layer) for name, layer in found.items()}
    schedules = resolve_schedules(pruning, kinds, total_steps, steps_per_epoch)
    plans: dict[str, LayerPlan] = {}
    for name, kind in kinds.items():
        pattern, block = _pattern(pruning, name, kind), None
        rule = last_match(pruning.layers, name, kind)
        if rule is not None and pattern.unit == "block":
            position = pruning.layers.index(rule)
            block = position, block_of(found[name], written.layers[position], model)
        plans[name] = LayerPlan(schedules[name], pattern, pruning.pools(name, kind), block)
    _check_units(pruning, found, plans)
    return plans


def rewind_step(pruning: Pruning, plans: Mapping[str, LayerPlan]) -> int | None:
    """The step before which the weights go back: the one after the masks of all layers have come to rest.

    Returns:
        Its number, of which the first is 1; None where they do not go back.

    Raises:
        RecipeError: there is no such step. Paths of the problems begin below the stage.
    """
    if pruning.rewind is None:
        return None
    step = max(update_steps(plan.schedule)[-1] for plan in plans.values()) + 1
    total_steps = next(iter(plans.values())).schedule.total_steps
    if step > total_steps:
        message = (
            f"goes back to earlier weights when the final sparsity is reached, which is in the last of the stage's "
            f"{counted(total_steps, 'step')}: nothing would be trained after it. Let schedule.end come earlier."
        )
        raise RecipeError([Problem(("rewind",), message, code="outside_stage")])
    return step


def preflight(model: tf_keras.Model, pruning: Pruning, workload: Workload) -> Preflight:
    """All that is knowable of a prune stage before training, problems included, for `tfopt plan`."""
    if problems := criterion_problems(pruning.criterion):
        return Preflight(problems=tuple(problems))
    try:
        reasons = skip_reasons(model, pruning)
        plans = layer_plans(model, pruning, workload.total_steps, workload.steps_per_epoch)
        rewind_step(pruning, plans)
    except RecipeError as error:
        return Preflight(
            problems=tuple(Mistake(problem.path, problem.message, code=problem.code) for problem in error.problems)
        )
    weighty = {layer.name for layer in leaf_layers(model) if prunable_kernels(layer)}
    skipped = {name: reason for name, reason in reasons.items() if reason is not None and name in weighty}
    return Preflight({name: plan.schedule for name, plan in plans.items()}, skipped)


def _reason(layer: tf_keras.layers.Layer, pruning: Pruning) -> str | None:
    reason = reason_not_prunable(layer)
    if reason is not None:
        return reason
    asked = pruning.for_layer(layer.name, layer_type(layer))
    if asked is None:
        return "a rule says skip"
    if pruning.policy == "xnnpack" and (reason := reason_not_xnnpack(layer)) is not None:
        return reason
    if pruning.policy == "xnnpack_blocks" and (reason := reason_not_in_blocks(layer, asked[1])) is not None:
        return reason
    return reason_pattern_impossible(layer, asked[1])


def _refused_wish(layer: tf_keras.layers.Layer, pruning: Pruning, reason: str | None) -> Problem | None:
    """A problem where a rule asks for this very layer to be pruned in a way that cannot be."""
    rule = last_match(pruning.layers, layer.name, layer_type(layer))
    if rule is None or reason is None or rule.skip or (rule.match == ".*" and rule.type is None):
        return None
    if not (rule.schedule or rule.block_size or rule.sparsity_m_by_n or rule.unit):
        return None
    key = next((key for key in ("sparsity_m_by_n", "block_size", "unit") if key in reason), "match")
    path = ("layers", pruning.layers.index(rule), key)
    return Problem(path, f"asks for layer {layer.name}, which cannot be done: {reason}.", code="layer_not_prunable")


def _schedule(pruning: Pruning, name: str, kind: str) -> ScheduleBase:
    """The schedule that a layer follows; an m-by-n pattern fixes how many zeros there are.

    Raises:
        ValueError: a schedule that was given together with the pattern says something else.
    """
    schedule, pattern = pruning.for_layer(name, kind) or (pruning.schedule, pruning.pattern)
    if isinstance(schedule, Threshold) and (pattern.block_size != (1, 1) or pattern.unit is not None):
        what = "blocks" if pattern.unit is None else f"unit: {pattern.unit}"
        raise ValueError(f"is of kind threshold, which judges each weight alone: it cannot be combined with {what}.")
    if pattern.sparsity_m_by_n is None:
        return schedule
    zeros, of = pattern.sparsity_m_by_n
    if zeros >= of:
        raise ValueError(f"sparsity_m_by_n must leave some weights: fewer zeros than {of}. Got [{zeros}, {of}].")
    rule = last_match(pruning.layers, name, kind)
    stated = schedule if rule is None or rule.sparsity_m_by_n is None else rule.schedule
    if stated is not None and not (
        stated.kind in ("constant", "one_shot") and abs(stated.final_sparsity() - zeros / of) < 1e-9
    ):
        raise ValueError(
            f"is {stated.kind} with final {stated.final_sparsity():.0%}, but sparsity_m_by_n [{zeros}, {of}] always "
            f"makes {zeros / of:.0%} zeros. Write kind: constant and final: {zeros / of:.0%}."
        )
    if schedule.begin == schedule.end:
        return OneShot(begin=schedule.begin, final=zeros / of)
    every = getattr(schedule, "every", None)  # not all kinds have it
    return Constant(begin=schedule.begin, end=schedule.end, every=every, final=zeros / of)


def _schedule_path(pruning: Pruning, name: str, kind: str) -> tuple[str | int, ...]:
    rule = last_match(pruning.layers, name, kind)
    if rule is None or rule.schedule is None:
        return ("schedule",)
    return ("layers", pruning.layers.index(rule), "schedule")


def _check_units(pruning: Pruning, layers: Mapping[str, tf_keras.layers.Layer], plans: Mapping[str, LayerPlan]) -> None:
    """Whether every rule for heads or blocks makes at least one zero."""
    problems: dict[str, Problem] = {}
    blocks: dict[tuple[int, ResolvedSchedule], list[str]] = {}
    for name, plan in plans.items():
        final = plan.schedule.schedule.final_sparsity()
        heads = heads_of(layers[name]) if plan.pattern.unit == "head" else None
        if heads is not None and not plan.pooled and num_gone(heads.count, final) == 0:
            path = _schedule_path(pruning, name, layer_type(layers[name]))
            message = f"makes no head of {name} zero: {final:.0%} of {counted(heads.count, 'head')}."
            problems.setdefault(str(path), Problem(path, message, code="meaningless_key"))
        if plan.block is not None:
            blocks.setdefault((plan.block[0], plan.schedule), []).append(plan.block[1])
    for (position, schedule), names in blocks.items():
        distinct, final = list(dict.fromkeys(names)), schedule.schedule.final_sparsity()
        if num_gone(len(distinct), final) == 0:
            share = f"{final:.0%} of {counted(len(distinct), 'block')} ({', '.join(distinct)})"
            path = ("layers", position, "match")
            problems[str(path)] = Problem(path, f"makes no block zero: {share}.", code="meaningless_key")
    if problems:
        raise RecipeError(list(problems.values()))


def _pattern(pruning: Pruning, name: str, kind: str) -> Pattern:
    asked = pruning.for_layer(name, kind)
    return pruning.pattern if asked is None else asked[1]
