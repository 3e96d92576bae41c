"""Records of a run: what a model is worth after a stage, and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from tfopt.core.claims.acceptance import judge_budgets
from tfopt.core.config.clustering import Sharing
from tfopt.core.contracts.types import Model
from tfopt.core.recipe.recipe import Recipe
from tfopt.core.records.report import ExportRecord, Report, RunInfo, StageRecord
from tfopt.engine.prepared import Prepared
from tfopt.io.system.environment import environment

RunState = Literal["done", "failed", "interrupted"]


def stage_record(
    prepared: Prepared,
    model: Model,
    *,
    name: str,
    kind: str,
    key: str,
    seconds: float = 0.0,
    skipped: Mapping[str, str] | None = None,
    sharing: Mapping[str, Sharing] | None = None,
) -> StageRecord:
    """Measures a model on the test split, and each of its layers.

    Args:
        prepared: data and recipe.
        model: what the stage left; a `tf_keras.Model` or a quantized one.
        name: of the stage.
        kind: of the stage.
        key: of the stage in the store.
        seconds: that the stage took.
        skipped: why a layer was left alone, by name.
        sharing: how the weights of clustered layers share values, by name.
    """
    from tfopt.backend.artifacts import stage_artifacts
    from tfopt.backend.graph.macs import macs_of_model
    from tfopt.backend.models import build as models
    from tfopt.backend.stages import prune as pruning
    from tfopt.backend.training.evaluate import evaluate

    float_model = stage_artifacts.float_model(model)
    measures = evaluate(stage_artifacts.inference_model(model), prepared.data.test, prepared.plan.recipe.compile)
    return StageRecord(
        name=name,
        kind=kind,
        key=key,
        cached=False,
        seconds=seconds,
        parameters=float_model.count_params(),
        macs=macs_of_model(float_model),
        measures={**measures, "sparsity": pruning.sparsity(float_model)},
        layers=models.layer_records(float_model, skipped or {}, sharing or {}),
    )


def sharing_of(record: StageRecord | None) -> dict[str, Sharing]:
    """How the weights of clustered layers share values after a stage, by layer name."""
    return {
        layer.name: Sharing(layer.clusters, layer.clusters_per_channel)
        for layer in (record.layers if record is not None else [])
        if layer.clusters is not None
    }


def run_report(
    prepared: Prepared,
    run: str,
    state: RunState,
    error: str | None,
    error_code: str | None = None,
    *,
    seconds: float,
    stages: Sequence[StageRecord],
    exports: Sequence[ExportRecord],
    warnings: Sequence[str],
) -> Report:
    """The report of a run that is over, however it ended.

    Args:
        prepared: data and recipe.
        run: name of the run folder.
        state: how it ended.
        error: why it did not end well.
        error_code: the code of that error.
        seconds: that it took.
        stages: records of all stages that are done.
        exports: records of all files that are written.
        warnings: in the order in which they came.
    """
    from tfopt.backend.training.gpus import gpus

    recipe: Recipe = prepared.plan.recipe
    return Report(
        schema=1,
        run=RunInfo(
            id=run,
            recipe=recipe.name,
            state=state,
            seconds=seconds,
            seed=recipe.seed,
            error=error,
            error_code=error_code,
        ),
        environment=environment().model_copy(update={"gpus": gpus()}),
        data=prepared.data.record(),
        metric=recipe.compile.metric,
        outputs=list(recipe.compile.outputs),
        stages=list(stages),
        exports=list(exports),
        budgets=judge_budgets(recipe.budgets, list(exports)) if state == "done" else [],
        warnings=list(warnings),
    )
