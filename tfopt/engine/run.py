"""Plan -> Run: look up, apply, measure, commit, journal.

A finished stage is in the store before the next one begins, so nothing that comes later can cost it.
"""

from __future__ import annotations

import shutil
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from tfopt.catalog.own_code import importable
from tfopt.core.claims.acceptance import lost_traits
from tfopt.core.claims.constant import constant_warnings
from tfopt.core.claims.decline import decline_warnings
from tfopt.core.config.model_source import ModelLocation
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.events import (
    Emit,
    EpochFinished,
    Event,
    RunFinished,
    RunStarted,
    StageFinished,
    StageStarted,
    Waiting,
    Warned,
)
from tfopt.core.contracts.result import StageResult
from tfopt.core.contracts.stage import SNAPSHOTS, Stage, StageContext, next_traits
from tfopt.core.contracts.types import Model
from tfopt.core.recipe.plan import PlannedSource, PlannedStage
from tfopt.core.records.fingerprint import fingerprint
from tfopt.core.records.report import ExportRecord, StageRecord
from tfopt.core.records.run import Run
from tfopt.engine import distribution
from tfopt.engine.exports import export_context, unwritable, write_targets
from tfopt.engine.history import StageHistory
from tfopt.engine.keys import batch_size_of, measurements_folder
from tfopt.engine.prepared import Prepared
from tfopt.engine.preprocessing import FOLDER, write_preprocessing
from tfopt.engine.records import RunState, run_report, sharing_of, stage_record
from tfopt.errors import StageError, TfoptError
from tfopt.io.runs.journal import Journal
from tfopt.io.store.locks import key_lock
from tfopt.io.store.store import Store
from tfopt.io.system.files import cannot_write, write_atomically


def execute(prepared: Prepared, store: Store, folder: Path, on_event: Emit | None = None) -> Run:
    """Carries a plan out.

    Args:
        prepared: plan, data and starting model.
        store: finished stages are taken from it and put into it.
        folder: the run folder, already there.
        on_event: receives every event, also those that are not journaled.

    Returns:
        The run; its report is written, whatever happened.

    Raises:
        TfoptError: a stage or an export failed; the report contains the error.
        KeyboardInterrupt: Ctrl-C; the state in the report is `interrupted`.
    """
    from tfopt.backend.models.precision import float32_globally

    own_code = importable(Path(prepared.plan.recipe.folder))
    with own_code, float32_globally(), Journal(folder / "events.jsonl") as journal:

        def tell(event: Event) -> None:
            journal.append(event)
            if on_event is not None:
                on_event(event)

        return Execution(prepared, store, folder, tell, folder / "logs").run()


@dataclass
class Execution:
    """The state of a run while it runs."""

    prepared: Prepared
    store: Store
    folder: Path
    tell: Emit
    logs: Path
    stages: list[StageRecord] = field(default_factory=list)
    exports: list[ExportRecord] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def emit(self, event: Event) -> None:
        """Passes an event on and keeps what is a warning."""
        if event["event"] == Warned.event:
            self.warnings.append(str(event["message"]))
        self.tell(event)

    def warn(self, message: str) -> None:
        """Emits a warning."""
        self.emit(Warned(message))

    def run(self) -> Run:
        """All stages, all exports, the report."""
        recipe = self.prepared.plan.recipe
        self.emit(
            RunStarted(
                run=self.folder.name,
                recipe=recipe.name,
                stages=[stage.name for stage in recipe.stages],
                exports=list(recipe.export_names()),
                sources=list(self.prepared.needed),
            )
        )
        for warning in self.prepared.plan.warnings:
            self.warn(warning)
        try:
            model, traits = self.run_stages()
            self.write_exports(model, traits)
        except KeyboardInterrupt:
            self.finish("interrupted", "Interrupted by Ctrl-C.")
            raise
        except TfoptError as error:
            self.finish("failed", str(error), error.code)
            raise
        return self.finish("done", None)

    def run_stages(self) -> tuple[Model, frozenset[Trait]]:
        """Runs all stages; returns the last model and its traits."""
        from tfopt.backend.artifacts import stage_artifacts
        from tfopt.backend.tflite import child_process

        recipe, plan = self.prepared.plan.recipe, self.prepared.plan
        if any(export.converts for export in recipe.export):
            child_process.import_early("tensorflow")  # while the stages train
        model: Model = self.prepared.model
        traits: frozenset[Trait] = frozenset()
        stored_at: Path | None = None
        if not recipe.stages or recipe.stages[0].adds - {"trained"}:
            self.stages.append(stage_record(self.prepared, model, name="start", kind="start", key=plan.model_key))
        for position, (stage, planned) in enumerate(zip(recipe.stages, plan.stages, strict=True)):
            found = self.stored(planned.key)
            if found is None:
                with self.alone_with(planned):
                    # Whoever held the lock may have built it in the meantime.
                    found = self.stored(planned.key)
                    if found is None:
                        if stored_at is not None:
                            model, stored_at = stage_artifacts.load(stored_at), None
                        model = self.run_stage(stage, planned, position, model, traits)
            if found is not None:
                stored_at, stored = found
                self.store.share(planned.key)
                self.replay(planned, stored)
            traits = next_traits(stage, traits)
        return (model if stored_at is None else stage_artifacts.load(stored_at)), traits

    def stored(self, key: str) -> tuple[Path, dict[str, object]] | None:
        """The entry of a key in the store, or None; it is announced to the workers that train along."""
        found = self.store.get(key, self.warn)
        distribution.announce("new" if found is None else "stored")
        return found

    def alone_with(self, planned: PlannedStage) -> AbstractContextManager[None]:
        """The lock of a stage: another process may build the same one, and this one then waits."""
        return key_lock(self.store.root, planned.key, lambda: self.emit(Waiting(planned.name)))

    def replay(self, planned: PlannedStage, stored: dict[str, object]) -> None:
        """Emits the events of a stage whose result is in the store, as if it had just run."""
        record = StageRecord.model_validate({**stored, "name": planned.name, "key": planned.key, "cached": True})
        self.announce(planned, cached=True)
        for entry in record.history:
            self.emit(EpochFinished(planned.name, entry, cached=True))
        self.close(record)

    def run_stage(
        self, stage: Stage, planned: PlannedStage, position: int, model: Model, traits: frozenset[Trait]
    ) -> Model:
        """Applies one stage, measures the result and commits it."""
        from tfopt.backend.artifacts import stage_artifacts

        recipe = self.prepared.plan.recipe
        history = StageHistory(planned.name, self.emit)
        context = self.begin_stage(stage, planned, position, traits, history)
        started = time.monotonic()
        try:
            result = distribution.apply(stage, model, context, recipe.distribute)
        except StageError as error:
            raise StageError(
                f"Stage {planned.name}: {error.message}", error.hint, error.where, code=error.code
            ) from error
        except TfoptError:
            raise
        except Exception as error:
            raise StageError(
                f"Stage {planned.name} failed: {type(error).__name__}: {error}", code="stage_failed"
            ) from error
        seconds = time.monotonic() - started
        kept = traits & stage.kept()
        if not isinstance(result, StageResult):
            self.warn(
                f"{planned.name}: {type(stage).__name__}.apply returns the model alone, as stages of 0.1.0 did; return "
                "tfopt.core.contracts.result.StageResult(model)."
            )
            result = StageResult(result)
        history.report(result)
        sharing = sharing_of(self.stages[-1] if self.stages else None) if "clustered" in kept else {}
        record = stage_record(
            self.prepared,
            result.model,
            name=planned.name,
            kind=planned.kind,
            key=planned.key,
            seconds=seconds,
            skipped=result.skipped,
            sharing={**sharing, **result.sharing},
        )
        sources_used = {source.label: source.key for source in planned.sources}
        details = dict(result.details)
        record = record.model_copy(update={"history": history.entries(), "details": details, "sources": sources_used})
        lost = lost_traits(kept, self.stages[-1].layers if self.stages else [], record.layers)
        if lost:
            raise StageError(f"Stage {planned.name} lost what it must keep: {'; '.join(lost)}.", code="unmet_promise")
        with self.store.building(planned.key) as folder:
            stage_artifacts.save(result.model, folder)
            write_preprocessing(self.prepared.data, folder / FOLDER)
            if (context.work / SNAPSHOTS).is_dir():
                shutil.copytree(context.work / SNAPSHOTS, folder / SNAPSHOTS, ignore=shutil.ignore_patterns("*.part"))
            self.store.commit(planned.key, folder, record.model_dump(mode="json"), planned.parts)
        self.store.drop_work(planned.key)
        distribution.announce("stored")
        # Before the event that the stage is finished: trials on other machines wait for that, and fetch the result.
        self.store.share(planned.key)
        self.close(record)
        return result.model

    def begin_stage(
        self, stage: Stage, planned: PlannedStage, position: int, traits: frozenset[Trait], history: StageHistory
    ) -> StageContext:
        """Provides the external models of a stage, emits that it begins, and says what it works with."""
        recipe = self.prepared.plan.recipe
        sources = {source.label: self.provide(source) for source in planned.sources}
        self.announce(planned, cached=False)
        return StageContext(
            data=self.prepared.data,
            compile=recipe.compile,
            batch_size=batch_size_of(stage, recipe),
            augment=recipe.data.augment,
            seed=int(fingerprint([recipe.seed, position, stage.kind])[:7], 16),
            emit=history.emit,
            work=self.store.work_folder(planned.key),
            logs=self.logs / planned.name,
            traits=traits,
            earlier={stage.name: self.store.folder(stage.key) for stage in self.prepared.plan.stages[:position]},
            sources=sources,
            measurements=measurements_folder(self.store.root),
            precision=recipe.precision,
        )

    def provide(self, source: PlannedSource) -> ModelLocation:
        """Location of an external model; the stages that make it are run first if necessary."""
        if source.kind == "file":
            return ModelLocation(source.label, source.kind, Path(source.file))
        maker = self.prepared.needed.get(source.key)
        if maker is not None:
            self.make(source, maker)
        made_by = maker or self.prepared
        folder = Path(made_by.plan.recipe.folder)
        return ModelLocation(source.label, source.kind, self.store.folder(source.key), source.traits, folder)

    def make(self, source: PlannedSource, maker: Prepared) -> None:
        """Runs the stages that make an external model, unless its result is in the store."""

        def tell(event: Event) -> None:
            stage = {"stage": f"{source.name}/{event['stage']}"} if "stage" in event else {}
            self.emit({**event, **stage, "source": source.name})

        other = type(self)(maker, self.store, self.folder, tell, self.logs / source.name)
        last = maker.plan.stages[-1]
        found = other.stored(last.key)
        if found is None:
            with importable(Path(maker.plan.recipe.folder)):
                other.run_stages()
        else:
            self.store.share(last.key)
            other.replay(last, found[1])

    def announce(self, planned: PlannedStage, *, cached: bool) -> None:
        """Emits that a stage begins."""
        self.emit(
            StageStarted(
                stage=planned.name,
                kind=planned.kind,
                key=planned.key,
                epochs=planned.epochs,
                steps=planned.steps,
                cached=cached,
            )
        )

    def close(self, record: StageRecord) -> None:
        """Keeps the record of a stage and emits that it is finished."""
        self.stages.append(record)
        self.emit(StageFinished(record.name, record.seconds, record.measures, record.cached))

    def write_exports(self, model: Model, traits: frozenset[Trait]) -> None:
        """Writes every export target and keeps its records.

        Raises:
            ExportError: the folder or disk cannot be written; what could be written is in the records.
        """
        folder = self.folder / "export"
        try:
            folder.mkdir(exist_ok=True)
            write_preprocessing(self.prepared.data, folder)
        except OSError as error:
            raise cannot_write(folder, error) from error
        context = export_context(self.prepared, self.store, self.stages, folder=folder, emit=self.emit, traits=traits)
        self.exports += write_targets(self.prepared.plan.recipe.export, model, context)
        if (disk_error := unwritable(self.exports)) is not None:
            raise disk_error

    def finish(self, state: RunState, error: str | None, code: str | None = None) -> Run:
        """Writes the report and closes the run."""
        seconds = time.monotonic() - self.started
        report = run_report(
            self.prepared,
            self.folder.name,
            state,
            error,
            code,
            seconds=seconds,
            stages=self.stages,
            exports=self.exports,
            warnings=self.warnings,
        )
        for warning in (*decline_warnings(report), *constant_warnings(report)):
            self.warn(warning)
        report = report.model_copy(update={"warnings": list(self.warnings)})
        write_atomically(self.folder / "report.json", report.model_dump_json(by_alias=True, indent=1))
        self.emit(RunFinished(state, seconds, report.held, code))
        return Run(self.folder, report)
