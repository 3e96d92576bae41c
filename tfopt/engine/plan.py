"""Recipe -> Plan: data and model are loaded, keys computed, schedules resolved, everything knowable is said.

Nothing is trained. `prepare` keeps the loaded data and model, so that a run does not load them again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfopt.core.config.traits import Trait
from tfopt.core.contracts.export import ExportWorkload
from tfopt.core.contracts.preflight import Preflight, Workload
from tfopt.core.contracts.stage import Stage, TrainingStage, next_traits
from tfopt.core.language.mistakes import Mistake
from tfopt.core.recipe.plan import Plan, PlannedStage
from tfopt.core.recipe.recipe import Recipe
from tfopt.core.records.fingerprint import fingerprint
from tfopt.engine import external_models as elsewhere
from tfopt.engine.keys import batch_size_of, parts_of, why_missing
from tfopt.engine.prepared import Prepared
from tfopt.errors import Problem
from tfopt.io.recipes.model_sources import model_source_problems
from tfopt.io.recipes.recipe_file import load_recipe
from tfopt.io.store.store import Store


def prepare(recipe: Recipe, store: Store) -> Prepared:
    """Loads data and model and works out what a run would do.

    Raises:
        RecipeError: the recipe cannot work with this data and model (impossible schedule, rule that matches no layer),
            or a model from elsewhere does not fit.
        StageError: data, model or a model from elsewhere cannot be loaded, or do not fit each other.
        StoreError: a remote store cannot be reached.
    """
    return _Preparation(store).prepare(recipe)


@dataclass
class _Preparation:
    """Prepares a recipe and those that it needs; what they share is loaded once."""

    store: Store
    data: dict[str, Any] = field(default_factory=dict)
    known: dict[str, Prepared] = field(default_factory=dict)

    def prepare(self, recipe: Recipe) -> Prepared:
        """The recipe, and whatever it needs."""
        key = fingerprint([recipe.to_document(), recipe.folder])
        if key not in self.known:
            self.known[key] = self._prepare(recipe)
        return self.known[key]

    def _prepare(self, recipe: Recipe) -> Prepared:
        from tfopt.backend import layer_support as preflight
        from tfopt.backend.data import load as backend_data
        from tfopt.backend.models import build as models

        problems = model_source_problems(recipe, load_recipe)
        if problems:
            raise recipe.error(problems)
        folder = Path(recipe.folder)
        data = self._data(recipe)
        built = models.build(recipe.model, data, recipe.seed, folder)
        model = built.model
        warnings = list(models.check_fits(model, data, recipe.compile))
        model_key = models.model_fingerprint(model)

        planned: list[PlannedStage] = []
        needed: dict[str, Prepared] = {}
        parent, all_cached = model_key, True
        traits: frozenset[Trait] = frozenset()
        layouts = [model]
        for index, stage in enumerate(recipe.stages):
            sources, makers = elsewhere.plan_sources(recipe, index, planned, self.store, self.prepare)
            needed |= makers
            parts = parts_of(stage, recipe, parent, data.fingerprint, elsewhere.keys_of(sources, planned))
            key = fingerprint(parts)
            reason = "" if self.store.has(key) else why_missing(parts, self.store, planned)
            all_cached = all_cached and not reason
            epochs = stage.epochs if isinstance(stage, TrainingStage) else 0
            steps_per_epoch = backend_data.steps_per_epoch(len(data.train), batch_size_of(stage, recipe))
            after = {stage.key: layout for stage, layout in zip(planned, layouts[1:], strict=True)}
            known, unfit = elsewhere.known_models(sources, layouts[-1], after, makers)
            workload = Workload(
                epochs * steps_per_epoch,
                steps_per_epoch,
                len(data.train),
                traits,
                known,
                recipe.compile,
                len(data.validation),
            )
            problems += [elsewhere.problem_of(stage, index, label, message) for label, message in unfit.items()]
            found = Preflight() if unfit else _preflight(stage, layouts[-1], workload)
            problems += [
                Problem(("stages", index, stage.kind, *mistake.path), _sentence(stage, mistake), code=mistake.code)
                for mistake in found.problems
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
                    sources=sources,
                )
            )
            if planned[-1].status != "cached":
                warnings += [
                    f"{source.name}: {warning}"
                    for source in sources
                    if source.key in makers and source.status != "cached"
                    for warning in makers[source.key].plan.warnings
                ]
            sound = not unfit and not found.problems
            layouts.append(stage.layers_after(layouts[-1], workload) if sound else layouts[-1])
            parent, traits = key, next_traits(stage, traits)
        exported = ExportWorkload(traits, layouts[-1].count_params(), len(data.train), recipe.budgets)
        for target in recipe.export:
            found = target.preflight(model, exported)
            problems += [
                Problem(("export", target.kind, *mistake.path), mistake.message, code=mistake.code)
                for mistake in found.problems
            ]
            warnings += found.warnings
        if problems:
            raise recipe.error(problems)
        if recipe.sweep is not None:
            warnings.append(
                "The recipe has a sweep: block, which `tfopt sweep` carries out; this is the recipe itself."
            )
        layers = preflight.layers(model)
        unique = tuple(dict.fromkeys(warnings))
        plan = Plan(recipe, tuple(planned), layers, data.record(), model_key, unique)
        origin = built.origin if layouts[-1] is model else None
        return Prepared(plan, data, model, origin, needed, layouts[-1])

    def _data(self, recipe: Recipe) -> Any:
        from tfopt.backend.data import load as backend_data

        key = fingerprint([recipe.to_document()["data"], recipe.folder])
        if key not in self.data:
            self.data[key] = backend_data.load(recipe.data, Path(recipe.folder))
        return self.data[key]


def _preflight(stage: Stage, model: Any, workload: Workload) -> Preflight:
    """What a stage, and whoever teaches in it, knows before training."""
    from tfopt.backend import distillation
    from tfopt.backend.quantization.canonical import canonicalize

    found = stage.preflight(model, workload)
    if not isinstance(stage, TrainingStage) or stage.teacher is None or found.problems:
        return found
    if stage.teacher.layers and "quantized" in stage.adds:
        # Quantization trains a rewritten copy: nested models are taken apart, their layers stand at the top.
        model = canonicalize(model).model
    return found.joined(distillation.look_ahead(model, stage.teacher, workload))


def _sentence(stage: Stage, mistake: Mistake) -> str:
    """A problem below a stage as a sentence that begins with what it is about."""
    path, message = mistake.path, mistake.message
    subject = ".".join(str(part) for part in (stage.name, *path))
    own = f"{path[-1]}." if path else "."
    return subject + message.removeprefix(own[:-1]) if message.startswith(own) else f"{subject} {message}"
