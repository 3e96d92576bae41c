"""Recipe -> Plan: data and model are loaded, keys computed, schedules resolved, everything knowable is reported.

Nothing is trained. `prepare` keeps the loaded data and model, so that a run does not load them again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tfopt.catalog.catalog import own_code_in
from tfopt.catalog.code_fingerprint import code_fingerprint
from tfopt.catalog.own_code import importable
from tfopt.core.config.budgets import pending_budgets
from tfopt.core.contracts.export import ExportWorkload
from tfopt.core.contracts.stage import TrainingStage, surviving_pruning
from tfopt.core.contracts.types import Data, Model
from tfopt.core.recipe.plan import Plan
from tfopt.core.recipe.recipe import Recipe
from tfopt.core.records.fingerprint import fingerprint
from tfopt.engine.distribution import device_problems
from tfopt.engine.own_code import check_own_code
from tfopt.engine.prepared import Prepared
from tfopt.engine.stage_plans import StagePlans
from tfopt.errors import Problem
from tfopt.io.recipes.model_sources import model_source_problems
from tfopt.io.recipes.recipe_file import load_recipe
from tfopt.io.store.store import Store


def prepare(recipe: Recipe, store: Store) -> Prepared:
    """Loads data and model and works out what a run would do.

    Raises:
        RecipeError: the recipe cannot work with this data and model (impossible schedule, rule that matches no layer),
            or an external model does not fit.
        StageError: data, model or an external model cannot be loaded, or do not fit each other.
        StoreError: a remote store cannot be reached.
    """
    from tfopt.backend.models.precision import float32_globally

    with float32_globally():
        return _Preparation(store).prepare(recipe)


@dataclass
class _Preparation:
    """Prepares a recipe and those that it needs; what they share is loaded once."""

    store: Store
    data: dict[str, Data] = field(default_factory=dict)
    known: dict[str, Prepared] = field(default_factory=dict)

    def prepare(self, recipe: Recipe) -> Prepared:
        """The recipe, and whatever it needs."""
        key = fingerprint([recipe.to_document(), recipe.folder])
        if key not in self.known:
            with importable(Path(recipe.folder)):
                self.known[key] = self._prepare(recipe)
        return self.known[key]

    def _prepare(self, recipe: Recipe) -> Prepared:
        from tfopt.backend import layer_support
        from tfopt.backend.data.several_inputs import with_names_of_model
        from tfopt.backend.models import build as models
        from tfopt.backend.models.outputs import for_model
        from tfopt.backend.training import own_code
        from tfopt.backend.training.metrics.characters import with_characters
        from tfopt.backend.training.metrics.detection import with_anchors
        from tfopt.backend.training.precision.forecast import precision_warnings

        problems = model_source_problems(recipe, load_recipe)
        problems += device_problems(recipe)
        if problems:
            raise recipe.error(problems)
        check_own_code(recipe)
        data = self._data(recipe)
        built = models.build(recipe.model, data, recipe.seed, Path(recipe.folder))
        model = built.model
        data = with_names_of_model(data, model.input_names, model.name)
        compile, data, unjudged = for_model(recipe.compile, data, built.outputs, model.name)
        compile, why = models.fitting_compile(model, data, compile)
        recipe = recipe.compiled_with(with_anchors(with_characters(compile, data), data))
        warnings = [
            *data.warnings(),
            *filter(None, [built.note, why]),
            *unjudged,
            *models.check_fits(model, data, recipe.compile),
        ]
        if any(True for _ in own_code_in(recipe)):
            own_code.try_out(model, data, recipe.compile)
        if recipe.data.augment is not None and any(isinstance(one, TrainingStage) for one in recipe.stages):
            own_code.try_changes(data, recipe.data.augment)
        model_key = _model_key(model)
        warnings += models.closed_layers(model)
        trains = any(isinstance(one, TrainingStage) and "quantized" not in one.adds for one in recipe.stages)
        warnings += precision_warnings(model, recipe.precision, trains)
        stages = StagePlans(recipe, self.store, self.prepare, data, model, model_key)
        for index, stage in enumerate(recipe.stages):
            stages.add(index, stage)
        export_problems, export_warnings = _exports(recipe, model, built.outputs, stages)
        if stages.problems or export_problems:
            raise recipe.error([*stages.problems, *export_problems])
        layout = stages.layouts[-1]
        origin, stays = _way_back(recipe, built.origin, model, layout)
        warnings += [*stages.warnings, *export_warnings, *stays, *pending_budgets(recipe.budgets)]
        if recipe.sweep is not None:
            text = "The recipe has a sweep: block, which `tfopt sweep` carries out; this is the recipe itself."
            warnings.append(text)
        unique = tuple(dict.fromkeys(warnings))
        plan = Plan(recipe, tuple(stages.planned), layer_support.layers(model), data.record(), model_key, unique)
        return Prepared(plan, data, model, origin, stages.needed, layout)

    def _data(self, recipe: Recipe) -> Data:
        from tfopt.backend.data import load as backend_data

        key = fingerprint([recipe.to_document()["data"], recipe.folder])
        if key not in self.data:
            self.data[key] = backend_data.load(recipe.data, Path(recipe.folder), self.store.root / "data")
        return self.data[key]


def _model_key(model: Model) -> str:
    """The fingerprint of a model, with what code of the user's own in it does."""
    from tfopt.backend.models import build as models

    key = models.model_fingerprint(model)
    code = {where: code_fingerprint(part) for where, part in models.custom_code(model).items()}
    return fingerprint([key, code]) if code else key


def _exports(
    recipe: Recipe, model: Model, outputs: tuple[str, ...], stages: StagePlans
) -> tuple[list[Problem], list[str]]:
    """Problems and warnings of all export targets."""
    workload = ExportWorkload(
        stages.traits,
        stages.layouts[-1].count_params(),
        len(stages.data.train),
        recipe.budgets,
        stages.data.input_shape,
        stages.data,
        pruning=surviving_pruning(recipe.stages),
        trained=bool(recipe.stages),
        folder=Path(recipe.folder),
        outputs=outputs,
        compile=recipe.compile,
    )
    problems: list[Problem] = []
    warnings: list[str] = []
    for target in recipe.export:
        found = target.preflight(model, workload)
        problems += [
            Problem(("export", target.kind, *mistake.path), mistake.message, code=mistake.code)
            for mistake in found.problems
        ]
        warnings += found.warnings
        made = target.tflite_files()
        problems += [
            Problem(
                ("budgets", budget.name),
                f"budgets.{budget.name} is measured of files that are made from a model with simulated quantization, "
                f"which {budget.export} is not.",
                on_key=True,
                code="unknown_name",
            )
            for budget in recipe.budgets
            if budget.export in made
            and budget.measure.endswith("within_quantum")
            and not ("quantized" in stages.traits and made[budget.export].from_qat)
        ]
    return problems, warnings


def _way_back(recipe: Recipe, origin: Model, model: Model, layout: Model) -> tuple[Model, list[str]]:
    """The Keras 3 model that the recipe began with, where its result can be one again; a warning where it cannot.

    A network of the same layers can, whatever its size; one with more, where Keras 3 has all of them.
    """
    from tfopt.backend.bridge import without_way_back

    written = any(target.kind == "keras" for target in recipe.export)
    if origin is None or not written or {layer.name for layer in layout.layers} <= {one.name for one in model.layers}:
        return origin, []
    why = without_way_back(layout)
    if why is None:
        return origin, []
    return None, [f"export.keras writes a file of tf_keras, although the model came from Keras 3: {why}"]
