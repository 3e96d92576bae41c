"""Recipe -> Plan: data and model are loaded, keys computed, schedules resolved, everything knowable is said.

Nothing is trained. `prepare` keeps the loaded data and model, so that a run does not load them again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfopt.core.fingerprint import changes, fingerprint, key_parts
from tfopt.core.plan import Plan, PlannedStage
from tfopt.core.preflight import Workload
from tfopt.core.recipe import Recipe
from tfopt.core.stage import Stage, TrainingStage
from tfopt.errors import Problem
from tfopt.export.tflite import Tflite
from tfopt.io.environment import key_versions
from tfopt.io.store import Store

_BYTES_PER_PARAMETER = {"none": 4, "float16": 2, "dynamic": 1, "int8": 1}
_LEAST_SHARE = 0.9
"""A file may be a little smaller than its weights alone: batch normalization is folded away."""


@dataclass(frozen=True)
class Prepared:
    """A plan with what was loaded to make it.

    Args:
        plan: what would be done.
        data: the splits (`tfopt.backend.data.Data`).
        model: the starting model, a `tf_keras.Model`.
        origin: the Keras 3 model it was made from, or None; its architecture goes through all stages unchanged.
    """

    plan: Plan
    data: Any
    model: Any
    origin: Any = None


def prepare(recipe: Recipe, store: Store) -> Prepared:
    """Loads data and model and works out what a run would do.

    Raises:
        RecipeError: the recipe cannot work with this data and model (impossible schedule, rule that matches no layer).
        StageError: data or model cannot be loaded, or do not fit each other.
        StoreError: a remote store cannot be reached.
    """
    from tfopt.backend import data as backend_data
    from tfopt.backend import models, preflight

    folder = Path(recipe.folder)
    data = backend_data.load(recipe.data, folder)
    built = models.build(recipe.model, data, recipe.seed, folder)
    model = built.model
    warnings = list(models.check_fits(model, data, recipe.compile))
    model_key = models.model_fingerprint(model)

    problems: list[Problem] = []
    planned: list[PlannedStage] = []
    parent, all_cached = model_key, True
    for index, stage in enumerate(recipe.stages):
        parts = parts_of(stage, recipe, parent, data.fingerprint)
        key = fingerprint(parts)
        reason = "" if store.has(key) else why_missing(parts, store, planned)
        all_cached = all_cached and not reason
        epochs = stage.epochs if isinstance(stage, TrainingStage) else 0
        steps_per_epoch = backend_data.steps_per_epoch(len(data.train), batch_size_of(stage, recipe))
        workload = Workload(epochs * steps_per_epoch, steps_per_epoch, len(data.train))
        found = stage.preflight(model, workload)
        problems += [
            Problem(("stages", index, stage.kind, *path), _sentence(stage, path, message))
            for path, message in found.problems
        ]
        warnings += [f"{stage.name}: {warning}" for warning in found.warnings]
        planned.append(
            PlannedStage(
                name=stage.name,
                kind=stage.kind,
                key=key,
                status="cached" if all_cached else "will run",
                reason=reason,
                parts=parts,
                epochs=epochs,
                steps=workload.total_steps,
                schedules=found.schedules,
            )
        )
        parent = key
    if problems:
        raise recipe.error(problems)
    warnings += export_warnings(recipe, model.count_params(), len(data.train))
    if recipe.sweep is not None:
        warnings.append("The recipe has a sweep: block, which `tfopt sweep` carries out; this is the recipe itself.")
    plan = Plan(recipe, tuple(planned), preflight.layers(model), data.record(), model_key, tuple(warnings))
    return Prepared(plan, data, model, built.origin)


def why_missing(parts: Mapping[str, Any], store: Store, before: Sequence[PlannedStage]) -> str:
    """Why a stage is not in the store: what changed since the entry that is most like it."""
    changed = [stage.name for stage in before if stage.status != "cached"]
    if changed:
        return f"{changed[-1]} before it is new"
    found = [changes(old, parts) for old in store.parts(parts["kind"])]
    if not found:
        return "nothing like it is in the store"
    nearest = min(found, key=len)
    if not nearest:
        return "its entry in the store is incomplete"
    words = [change.removeprefix("config.").removeprefix("stage.") for change in nearest]
    more = f", and {len(words) - 3} more" if len(words) > 3 else ""
    return "; ".join(words[:3]) + more


def key_of(stage: Stage, recipe: Recipe, parent: str, data: str) -> str:
    """The store key of a stage of a recipe."""
    return fingerprint(parts_of(stage, recipe, parent, data))


def parts_of(stage: Stage, recipe: Recipe, parent: str, data: str) -> dict[str, Any]:
    """What the store key of a stage is made of: its own name is not in it, for a name changes no result.

    Of an earlier stage that it uses, the key knows the place: what is there, is in the parent's key, and were only the
    name known, two stages that swap their names would be taken for one another.
    """
    config: dict[str, Any] = {
        "stage": stage.model_dump(mode="json", exclude={"name"}),
        "compile": recipe.compile.model_dump(mode="json"),
        "batch_size": batch_size_of(stage, recipe),
        "augment": recipe.data.augment.model_dump(mode="json") if recipe.data.augment else None,
    }
    if stage.uses():
        config["uses"] = [recipe.stages.index(recipe.stage(name)) for name in stage.uses()]
    return key_parts(
        parent=parent,
        kind=stage.kind,
        version=stage.version,
        config=config,
        data=data,
        seed=recipe.seed,
        versions=key_versions(),
    )


def _sentence(stage: Stage, path: tuple[str | int, ...], message: str) -> str:
    """A problem below a stage as a sentence that begins with what it is about."""
    subject = ".".join(str(part) for part in (stage.name, *path))
    own = f"{path[-1]}." if path else "."
    return subject + message.removeprefix(own[:-1]) if message.startswith(own) else f"{subject} {message}"


def batch_size_of(stage: Stage, recipe: Recipe) -> int:
    """Examples per optimizer step in a stage: its own, or the recipe's."""
    own = stage.batch_size if isinstance(stage, TrainingStage) else None
    return own or recipe.data.batch_size


def export_warnings(recipe: Recipe, parameters: int, examples: int) -> list[str]:
    """What is knowable about the files: budgets that no such file can meet, more calibration than there is data."""
    warnings: list[str] = []
    variants = {
        name: variant
        for target in recipe.export
        if isinstance(target, Tflite)
        for name, variant in target.variants.items()
    }
    for name, variant in variants.items():
        if variant.quantize == "int8" and variant.calibration > examples:
            warnings.append(
                f"{name}: calibration asks for {variant.calibration} examples, the training split has {examples}; "
                "all of them are used."
            )
    for budget in recipe.budgets:
        target = variants.get(budget.export)
        if budget.measure != "bytes" or target is None or target.sparse:
            continue
        least = round(parameters * _BYTES_PER_PARAMETER[target.quantize] * _LEAST_SHARE)
        if budget.limit < least:
            warnings.append(
                f"{budget.name}: {budget.limit:,.0f} bytes cannot be met: {parameters:,} parameters alone take about "
                f"{least:,} bytes with quantize: {target.quantize} (sparsity shrinks the gzipped file, not this one)."
            )
    return warnings
