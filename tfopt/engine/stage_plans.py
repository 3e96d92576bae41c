"""Plans the stages of a recipe, one after the other: key, status, workload, preflight."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tfopt.core.config.model_source import KnownModel
from tfopt.core.config.schedules.recovery import recovery_warnings
from tfopt.core.config.training.learning_rate import rate_misfits
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.preflight import Preflight, Workload
from tfopt.core.contracts.stage import Stage, TrainingStage, next_traits
from tfopt.core.contracts.types import Data, Model
from tfopt.core.language.mistakes import Mistake
from tfopt.core.recipe.plan import PlannedSource, PlannedStage
from tfopt.core.recipe.recipe import Recipe
from tfopt.core.records.fingerprint import fingerprint
from tfopt.engine import distribution, external_models
from tfopt.engine.keys import batch_size_of, measurements_folder, parts_of, why_missing
from tfopt.engine.prepared import Prepared
from tfopt.errors import Problem
from tfopt.io.store.store import Store


@dataclass
class StagePlans:
    """The stages planned so far, and what the model is after them.

    Args:
        recipe: whose stages they are.
        store: finished stages are found there.
        prepare: plans another recipe, for external models.
        data: the splits.
        model: the starting model.
        parent: key of the stage before; at first the fingerprint of the starting model.
        traits: what the model is after the planned stages.
        layouts: the starting model, and after each planned stage a model with the layers that it leaves.
        needed: what makes the external models, by the key of its last stage.
    """

    recipe: Recipe
    store: Store
    prepare: Callable[[Recipe], Prepared]
    data: Data
    model: Model
    parent: str
    traits: frozenset[Trait] = frozenset()
    planned: list[PlannedStage] = field(default_factory=list)
    layouts: list[Model] = field(default_factory=list)
    needed: dict[str, Prepared] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.layouts.append(self.model)

    def add(self, index: int, stage: Stage) -> None:
        """Plans one more stage.

        Args:
            index: of the stage in the recipe.
            stage: the stage.

        Raises:
            RecipeError: the recipe of an external model cannot be run.
            StageError: an external model cannot be loaded.
            StoreError: a remote store cannot be reached.
        """
        sources, makers = external_models.plan_sources(self.recipe, index, self.planned, self.store, self.prepare)
        self.needed |= makers
        known, misfits = external_models.known_models(sources, self.layouts[-1], self._layouts_by_key(), makers)
        misfits |= external_models.of_other_preprocessing(sources, self.data, makers)
        workload = self._workload(stage, known)
        self.problems += [external_models.problem_of(stage, index, *misfit) for misfit in misfits.items()]
        found = Preflight() if misfits else preflight(stage, self.layouts[-1], workload)
        if isinstance(stage, TrainingStage):
            found = found.joined(Preflight(problems=self._misfits(stage, workload)))
            if stage.learning_rate is None:
                self.problems += self._misfits_of_compile(stage, workload)
        self.problems += [
            Problem(("stages", index, stage.kind, *mistake.path), sentence(stage, mistake), code=mistake.code)
            for mistake in found.problems
        ]
        few_steps = recovery_warnings(found.schedules)
        self.warnings += [f"{stage.name}: {warning}" for warning in (*found.warnings, *few_steps)]
        self.planned.append(self._planned(stage, sources, workload, found))
        if self.planned[-1].status != "cached":
            self.warnings += _warnings_of(sources, makers)
        sound = not misfits and not found.problems
        self.layouts.append(stage.layers_after(self.layouts[-1], workload) if sound else self.layouts[-1])
        self.parent, self.traits = self.planned[-1].key, next_traits(stage, self.traits)

    def _layouts_by_key(self) -> dict[str, Model]:
        return {stage.key: layout for stage, layout in zip(self.planned, self.layouts[1:], strict=True)}

    def _workload(self, stage: Stage, known: Mapping[str, KnownModel]) -> Workload:
        from tfopt.backend.data.load import steps_per_epoch

        epochs = stage.epochs if isinstance(stage, TrainingStage) else 0
        per_epoch = steps_per_epoch(len(self.data.train), batch_size_of(stage, self.recipe))
        return Workload(
            total_steps=epochs * per_epoch,
            steps_per_epoch=per_epoch,
            examples=len(self.data.train),
            traits=self.traits,
            sources=known,
            compile=self.recipe.compile,
            validation=len(self.data.validation),
            measurements=measurements_folder(self.store.root),
        )

    def _misfits(self, stage: TrainingStage, workload: Workload) -> tuple[Mistake, ...]:
        """Mistakes of what every training stage has: weights of classes that are not there, rates it never reaches."""
        from tfopt.backend.training import weighting

        found: list[Mistake] = []
        if stage.class_weights is not None:
            found += weighting.misfits(self.data.train.targets, stage.class_weights, self.recipe.compile)
        if stage.learning_rate is not None:
            found += [
                Mistake(("learning_rate", *mistake.path), mistake.message, code=mistake.code)
                for mistake in rate_misfits(stage.learning_rate, workload.total_steps, workload.steps_per_epoch)
            ]
        return tuple(found)

    def _misfits_of_compile(self, stage: TrainingStage, workload: Workload) -> list[Problem]:
        """Mistakes of the rate of all stages, in one that has no rate of its own."""
        path = ("compile", "optimizer", "learning_rate")
        rate = self.recipe.compile.optimizer.learning_rate
        return [
            Problem(
                (*path, *mistake.path),
                f"{'.'.join(map(str, (*path, *mistake.path)))}, in stage {stage.name}, {mistake.message}",
                code=mistake.code,
            )
            for mistake in rate_misfits(rate, workload.total_steps, workload.steps_per_epoch)
        ]

    def _planned(
        self, stage: Stage, sources: tuple[PlannedSource, ...], workload: Workload, found: Preflight
    ) -> PlannedStage:
        source_keys = external_models.keys_of(sources, self.planned)
        parts = parts_of(stage, self.recipe, self.parent, self.data.fingerprint, source_keys)
        key = fingerprint(parts)
        reason = "" if self.store.has(key) else why_missing(parts, self.store, self.planned)
        cached = not reason and all(earlier.status == "cached" for earlier in self.planned)
        return PlannedStage(
            name=stage.name,
            kind=stage.kind,
            key=key,
            status="cached" if cached else "will run",
            reason=reason,
            parts=parts,
            epochs=stage.epochs if isinstance(stage, TrainingStage) else 0,
            steps=workload.total_steps,
            schedules=found.schedules,
            sources=sources,
            notes=(*found.notes, *distribution.notes(stage, self.recipe)),
        )


def preflight(stage: Stage, model: Model, workload: Workload) -> Preflight:
    """Findings of a stage, and of its teacher, before training."""
    from tfopt.backend import distillation
    from tfopt.backend.graph.saved_model_layer import reason_without_layers
    from tfopt.backend.quantization.canonical import canonicalize

    reason = reason_without_layers(model)
    if reason is not None:
        return Preflight(problems=(Mistake((), f"cannot work: {reason}.", code="no_layers"),))
    found = stage.preflight(model, workload)
    if not isinstance(stage, TrainingStage) or stage.teacher is None or found.problems:
        return found
    if stage.teacher.layers and "quantized" in stage.adds:
        # Quantization trains a rewritten copy: nested models are taken apart, their layers stand at the top.
        model = canonicalize(model).model
    return found.joined(distillation.teacher_preflight(model, stage.teacher, workload))


def sentence(stage: Stage, mistake: Mistake) -> str:
    """A mistake below a stage as a sentence that begins with what it is about."""
    path, message = mistake.path, mistake.message
    subject = ".".join(str(part) for part in (stage.name, *path))
    own = f"{path[-1]}." if path else "."
    return subject + message.removeprefix(own[:-1]) if message.startswith(own) else f"{subject} {message}"


def _warnings_of(sources: Sequence[PlannedSource], makers: Mapping[str, Prepared]) -> list[str]:
    """Warnings of the recipes that are run to make external models."""
    return [
        f"{source.name}: {warning}"
        for source in sources
        if source.key in makers and source.status != "cached"
        for warning in makers[source.key].plan.warnings
    ]
