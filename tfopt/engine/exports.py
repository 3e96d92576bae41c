"""Writes the exports of a run: one that fails costs its own files, never the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tfopt.core.claims.failures import Failure, attempt, failed_export
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.events import Emit, ExportFinished
from tfopt.core.contracts.export import BeforeQuantizing, Export, ExportContext
from tfopt.core.contracts.stage import (
    SNAPSHOTS,
    Stage,
    float_policy,
    next_traits,
    quantizing_position,
    surviving_pruning,
)
from tfopt.core.contracts.types import Model
from tfopt.core.records.dense import dense_stage
from tfopt.core.records.report import ExportRecord, StageRecord
from tfopt.core.records.shrunk import Shrunk
from tfopt.core.records.zero_units import ZeroUnits
from tfopt.engine.prepared import Prepared
from tfopt.errors import ExportError
from tfopt.io.store.store import Store

_CANNOT_WRITE = "cannot_write"


def export_context(
    prepared: Prepared,
    store: Store,
    records: Sequence[StageRecord],
    *,
    folder: Path,
    emit: Emit,
    traits: frozenset[Trait],
) -> ExportContext:
    """What the targets of a run are given.

    Args:
        prepared: the plan of the run.
        store: holds the results of its stages.
        records: of all stages; a drop is counted from the measures of `dense_stage`.
        folder: for the files.
        emit: receives their events.
        traits: of the model of the last stage.
    """
    recipe = prepared.plan.recipe
    pruning = surviving_pruning(recipe.stages)
    return ExportContext(
        folder=folder,
        data=prepared.data,
        compile=recipe.compile,
        seed=recipe.seed,
        emit=emit,
        traits=traits,
        layers=records[-1].layers,
        dense=dense_stage(records).measures,
        origin=prepared.origin,
        float_layers=float_policy(recipe.stages),
        before_quantizing=before_quantizing(prepared, store, records),
        budgets=recipe.budgets,
        recipe=recipe.name,
        description=recipe.description,
        recipe_folder=Path(recipe.folder),
        target=recipe.target,
        shrunk=shrunk_by(records, store),
        zero_units=zero_units_of(recipe.stages, records) if "sparse" in traits else None,
        sparse_is_faster=pruning is not None and pruning.policy == "xnnpack_blocks",
    )


def write_targets(targets: Sequence[Export], model: Model, context: ExportContext) -> list[ExportRecord]:
    """Writes every export target.

    Args:
        targets: in the order of the recipe.
        model: of the last stage.
        context: folder, data and what must hold.

    Returns:
        One record per name of each target; a target that raises has records whose broken claim says why. Targets that
        are made of the files of others come last.
    """
    records: list[ExportRecord] = []
    for target in sorted(targets, key=lambda target: target.last):
        records += _written(target, model, replace(context, written=tuple(records)))
    return records


def _written(target: Export, model: Model, context: ExportContext) -> list[ExportRecord]:
    written = attempt(target.write, model, context)
    if not isinstance(written, Failure):
        return written
    folder = context.folder.name
    records = [failed_export(name, target.kind, f"{folder}/{name}", written) for name in target.names()]
    for record in records:
        context.emit(ExportFinished(record.name, 0, {}, held=False))
    return records


def unwritable(records: Sequence[ExportRecord]) -> ExportError | None:
    """The error of a folder or disk that cannot be written: not the fault of a file, so the run fails with it."""
    found = [record for record in records if record.error_code == _CANNOT_WRITE]
    if not found:
        return None
    others = [record.name for record in records if record.bytes]
    kept = f"These files are written: {', '.join(others)}." if others else ""
    return ExportError(found[0].error or "", kept, code="cannot_write")


def before_quantizing(prepared: Prepared, store: Store, records: Sequence[StageRecord] = ()) -> BeforeQuantizing | None:
    """The model that the quantizing stage began with, from the store; a starting model is built again, because the
    stage may have changed it. None where no stage quantizes.

    Args:
        prepared: the plan of the run.
        store: holds the results of its stages.
        records: of the stages that have run.
    """
    recipe, plan = prepared.plan.recipe, prepared.plan
    position = quantizing_position(recipe.stages)
    if position is None:
        return None

    def load() -> Model:
        from tfopt.backend.artifacts import stage_artifacts
        from tfopt.backend.models import build

        if position == 0:
            return build.build(recipe.model, prepared.data, recipe.seed, Path(recipe.folder)).model
        return stage_artifacts.load(store.folder(plan.stages[position - 1].key))

    traits: frozenset[Trait] = frozenset()
    for stage in recipe.stages[:position]:
        traits = next_traits(stage, traits)
    before = recipe.stages[position - 1].name if position else None
    layers = next((record.layers for record in records if record.name == before), [])
    return BeforeQuantizing(recipe.stages[position].name, load, traits, layers)


def shrunk_by(stages: Sequence[StageRecord], store: Store) -> Shrunk | None:
    """What the last shrink stage of a run promised about the network; None where no stage shrinks."""
    found = next((stage for stage in reversed(stages) if "shrink" in stage.details), None)
    return (
        None if found is None else Shrunk.of(found.name, found.details["shrink"], store.folder(found.key) / SNAPSHOTS)
    )


def zero_units_of(stages: Sequence[Stage], records: Sequence[StageRecord]) -> ZeroUnits | None:
    """Heads and blocks that the last stage that prunes made zero; None where it has no rule for them, or where a later
    stage removed some from the network.

    Args:
        stages: of the recipe.
        records: what each of them reported.
    """
    for stage, record in zip(reversed(stages), reversed(records), strict=False):
        if "shrink" in record.details:
            return None
        if "sparse" in stage.adds:
            found = record.details.get("zero_units")
            return None if found is None else ZeroUnits.of(found)
    return None
