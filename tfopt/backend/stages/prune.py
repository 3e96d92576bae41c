"""The prune stage: wrap, train under the schedule, take the wrappers off, prove what came out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.equivalence import Tolerance, same_on
from tfopt.backend.graph.kernels import prunable_kernels
from tfopt.backend.graph.layers import leaf_layers
from tfopt.backend.graph.sparsity import layer_sparsity, pattern_sparsity, sparsity
from tfopt.backend.pruning import rewinding
from tfopt.backend.pruning.controllers import make_controller
from tfopt.backend.pruning.criterion import make_criterion
from tfopt.backend.pruning.masks import PruneByOptimizer
from tfopt.backend.pruning.plan import LayerPlan, layer_plans, preflight, resolve_schedules, rewind_step, skip_reasons
from tfopt.backend.pruning.pruned_units import units_details, wrong_units
from tfopt.backend.pruning.rewinding import RewindHook
from tfopt.backend.pruning.schedules import ControlledSchedule, MaskUpdates
from tfopt.backend.stages import fit as training
from tfopt.backend.training.hooks import TrainingHook
from tfopt.backend.training.wrapping import wrapped
from tfopt.core.config.pruning import Pruning
from tfopt.core.contracts.events import Warned
from tfopt.core.contracts.result import StageResult
from tfopt.core.contracts.stage import StageContext, TrainingStage
from tfopt.errors import StageError

_TOLERANCE = Tolerance(1e-5, least_scale=1.0)

__all__ = ["layer_sparsity", "preflight", "prune", "resolve_schedules", "skip_reasons", "sparsity"]

TOLERANCE = 0.005
"""How far, besides one weight (or block), a layer may end from its planned sparsity."""


def prune(model: tf_keras.Model, stage: TrainingStage, pruning: Pruning, context: StageContext) -> StageResult:
    """Pruning with fine-tuning under a schedule (Zhu and Gupta 2017, arXiv:1710.01878), by tfmot's masks.

    Args:
        model: a built functional or Sequential model; its weights become sparse.
        stage: epochs, learning rate, early stopping.
        pruning: schedule, rules, pattern and criterion.
        context: data, compile, seed, and where progress and checkpoints go.

    Returns:
        The same model, free of wrappers; reasons for layers left dense, and the schedules of the others.

    Raises:
        RecipeError: rules or schedules do not fit model and stage.
        StageError: training failed, a layer did not reach its planned sparsity, or there are no weights to rewind to.
    """
    steps = training.length(stage, context)
    plans = layer_plans(model, pruning, steps.total_steps, steps.steps_per_epoch)
    rewind_at = rewind_step(pruning, plans)
    earlier = rewinding.read(pruning.rewind, model, context) if pruning.rewind else ()
    skipped, details = _skipped(model, pruning), _details(pruning, plans)
    optimizer = training.make_optimizer(stage, context)
    criterion = make_criterion(pruning.criterion)
    pruned = [layer for layer in leaf_layers(model) if layer.name in plans]
    criterion.track([kernel for layer in pruned for kernel in prunable_kernels(layer)])

    def wrap(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        plan = plans.get(layer.name)
        if plan is None:
            return layer
        schedule = ControlledSchedule() if plan.controlled else MaskUpdates.of(plan.schedule)
        return PruneByOptimizer(
            layer, schedule, plan.pattern, criterion, lambda: optimizer.iterations + 1, plan.threshold
        )

    with wrapped(model, wrap, PruneByOptimizer) as (sparse_model, wrappers):
        _check_same(model, sparse_model, context)
        masks = MaskHook(wrappers, plans)
        controller = make_controller(plans, wrappers, pruning.allocation, steps.steps_per_epoch)
        # The criterion comes first: what it decides before a step, the controller's allocation and the masks use.
        hooks: list[TrainingHook] = [criterion, masks, controller]
        if rewind_at is not None:

            def restart() -> None:
                fresh = training.make_optimizer(stage, context)
                rewinding.restart(optimizer, fresh, sparse_model.trainable_variables)

            hooks.append(RewindHook(rewind_at, earlier, masks.project_weights, restart))
        known = all(plan.threshold is None for plan in plans.values())
        curve = [[step, masks.planned_sparsity(step)] for step in _points(steps.total_steps)] if known else []
        trained = training.fit(sparse_model, stage, context, optimizer=optimizer, hooks=hooks)
    for text in controller.unmet_targets():
        context.emit(Warned(f"{stage.name}: {text}"))
    prove(model, plans, controller.target_sparsities())
    decided = {"decided": [group.details() for group in controller.groups]} if controller.groups else {}
    planned = {"planned_curve": curve} if curve else {}
    units = units_details(model, plans)
    return StageResult(model, skipped, details={**details, **planned, **trained, **decided, **units})


class MaskHook(TrainingHook):
    """Applies the masks, and measures the sparsity that is there and that is planned.

    Args:
        wrappers: the pruning wrappers.
        plans: how each layer is pruned, by the wrapped layer's name.
    """

    def __init__(self, wrappers: list[PruneByOptimizer], plans: Mapping[str, LayerPlan]) -> None:
        self._wrappers = wrappers
        self._end = max(plan.schedule.end for plan in plans.values())
        layers = [wrapper.layer for wrapper in wrappers]
        sizes = {layer.name: sum(int(tf.size(kernel)) for kernel in prunable_kernels(layer)) for layer in layers}
        total = sum(sizes.values())
        self._shares = [(plans[name].schedule, size / total) for name, size in sizes.items()]
        self._planned = all(plan.threshold is None for plan in plans.values())

    @property
    def early_stopping_from(self) -> int:
        return self._end

    def project_weights(self) -> None:
        """Multiplies the weights with their masks: the optimizer's last update has moved the zeros."""
        for wrapper in self._wrappers:
            wrapper.pruning_obj.weight_mask_op()

    def sparsity(self) -> float:
        """Fraction of masked weights now, over all pruned layers."""
        masks = [mask for wrapper in self._wrappers for _, mask, _ in wrapper.pruning_vars]
        kept = sum(float(tf.reduce_sum(mask)) for mask in masks)
        return 1 - kept / sum(int(tf.size(mask)) for mask in masks)

    def planned_sparsity(self, step: int) -> float | None:
        """Fraction of zeros that the schedules plan after `step` optimizer steps; None where a threshold decides."""
        if not self._planned:
            return None
        return sum(schedule.sparsity_at(step) * share for schedule, share in self._shares)


def _points(total_steps: int, most: int = 120) -> list[int]:
    """Steps from 0 to the last, evenly spaced, at which the planned sparsity is drawn."""
    return sorted({round(index * total_steps / most) for index in range(most + 1)})


def prove(model: tf_keras.Model, plans: Mapping[str, LayerPlan], target_sparsities: Mapping[str, float]) -> None:
    """Measures every pruned layer against its plan.

    Args:
        model: free of wrappers.
        plans: how each layer was pruned, by its name.
        target_sparsities: sparsity of the layers for which it was decided while training.

    Raises:
        StageError: a layer is further from its planned sparsity than one weight (or block) and half a point.
    """
    wrong: list[str] = []
    for layer in leaf_layers(model):
        if layer.name not in plans:
            continue
        plan = plans[layer.name]
        planned = target_sparsities.get(layer.name, plan.schedule.sparsity_at(plan.schedule.total_steps))
        if plan.pattern.unit is not None:
            wrong += wrong_units(layer, plan, planned)
            continue
        kernels = [kernel.numpy() for kernel in prunable_kernels(layer)]
        if plan.threshold is not None:  # each kernel has its own share: together they have what was counted
            kernels = [np.concatenate([kernel.ravel() for kernel in kernels])]
        for kernel in kernels:
            measured, smallest = pattern_sparsity(kernel, plan.pattern)
            if abs(measured - planned) > smallest + TOLERANCE:
                wrong.append(f"{layer.name}: {measured:.1%} instead of {planned:.1%}")
    if wrong:
        raise StageError(
            f"pruning did not reach its planned sparsity in {'; '.join(wrong)}.",
            "Weights that are all equal cannot be ranked: check the initializers and whether the layer learns at all.",
            code="unmet_promise",
        )


def _skipped(model: tf_keras.Model, pruning: Pruning) -> dict[str, str]:
    """Why a layer with weights is left dense, by name."""
    reasons = skip_reasons(model, pruning)
    found = {layer.name: reasons[layer.name] for layer in leaf_layers(model, weighted=True)}
    return {name: reason for name, reason in found.items() if reason}


def _details(pruning: Pruning, plans: Mapping[str, LayerPlan]) -> dict[str, object]:
    schedules = {
        name: {
            "kind": plan.schedule.schedule.kind,
            "begin": plan.schedule.begin,
            "end": plan.schedule.end,
            "every": plan.schedule.every,
            "final": plan.schedule.sparsity_at(plan.schedule.total_steps),
        }
        for name, plan in plans.items()
    }
    details: dict[str, object] = {"schedules": schedules}
    if pruning.rewind is not None:
        details["rewind"] = {**pruning.rewind.model_dump(), "before_step": rewind_step(pruning, plans)}
    return details


def _check_same(model: tf_keras.Model, sparse_model: tf_keras.Model, context: StageContext) -> None:
    """Compares both models on a few examples: a wrapper that passes a layer's inputs on wrongly is found here."""
    few = context.data.train.take(8, context.seed).inputs
    if differing := same_on(model, sparse_model, few, _TOLERANCE):
        raise StageError(
            "with tfmot's pruning wrappers the outputs of the model differ from those without "
            f"(by {differing.described}).",
            "A layer with several inputs or masks is the likely cause: leave it out with a rule that says skip: true.",
            code="not_equivalent",
        )
