"""Recipe -> Plan: data and model are loaded, keys computed, schedules resolved, everything knowable is said.

Nothing is trained. `prepare` keeps the loaded data and model, so that a run does not load them again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfopt.core.config.model_source import PLACES, sources_in
from tfopt.core.config.tflite_variant import Variant
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.preflight import Preflight, Workload
from tfopt.core.contracts.stage import Stage, TrainingStage, next_traits
from tfopt.core.language.plain import look_up
from tfopt.core.recipe.plan import Plan, PlannedStage
from tfopt.core.recipe.recipe import Recipe
from tfopt.core.records.fingerprint import changes, fingerprint, key_parts
from tfopt.engine import external_models as elsewhere
from tfopt.errors import Problem
from tfopt.export.tflite import Tflite
from tfopt.io.recipes.model_sources import model_source_problems
from tfopt.io.recipes.recipe_file import load_recipe
from tfopt.io.store.store import Store
from tfopt.io.system.environment import key_versions
from tfopt.stages.qat import Qat

_BYTES_PER_PARAMETER = {"none": 4, "float16": 2, "dynamic": 1, "int8": 1}
_LEAST_SHARE = 0.9
"""A file may be a little smaller than its weights alone: batch normalization is folded away."""


@dataclass(frozen=True)
class Prepared:
    """A plan with what was loaded to make it.

    Args:
        plan: what would be done.
        data: the splits (`tfopt.backend.data.load.Data`).
        model: the starting model, a `tf_keras.Model`.
        origin: the Keras 3 model it was made from, or None; also where a stage adds layers or takes some
            away, so that the result has another architecture.
        needed: what makes the models from elsewhere that stages need, by the key of its last stage.
        layout: a model with the layers that the last stage leaves, whatever its weights; the starting model itself
            where no stage adds layers or takes some away.
    """

    plan: Plan
    data: Any
    model: Any
    origin: Any = None
    needed: Mapping[str, Prepared] = field(default_factory=dict)
    layout: Any = None

    def stage_keys(self) -> list[str]:
        """Keys of all its stages, and of all that make the models they need."""
        own = [stage.key for stage in self.plan.stages]
        return list(dict.fromkeys([*(key for one in self.needed.values() for key in one.stage_keys()), *own]))


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
        from tfopt.backend.tflite.unconvertible import unconvertible

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
        if any(isinstance(target, Tflite) for target in recipe.export):
            problems += [
                Problem(("export", "tflite"), f"export.tflite cannot hold the layer {name}: {reason}.")
                for name, reason in unconvertible(model).items()
            ]
        problems += self._float_files(recipe, model, warnings)
        if problems:
            raise recipe.error(problems)
        warnings += export_warnings(recipe, layouts[-1].count_params(), len(data.train))
        if recipe.sweep is not None:
            warnings.append(
                "The recipe has a sweep: block, which `tfopt sweep` carries out; this is the recipe itself."
            )
        layers = preflight.layers(model)
        unique = tuple(dict.fromkeys(warnings))
        plan = Plan(recipe, tuple(planned), layers, data.record(), model_key, unique)
        origin = built.origin if layouts[-1] is model else None
        return Prepared(plan, data, model, origin, needed, layouts[-1])

    def _float_files(self, recipe: Recipe, model: Any, warnings: list[str]) -> list[Problem]:
        """int8 files without a qat stage: what stays float, comes out wrong or cannot be converted."""
        from tfopt.backend import quantization

        files = [name for name, variant in tflite_variants(recipe).items() if variant.quantize == "int8"]
        if not files or any(isinstance(stage, Qat) for stage in recipe.stages):
            return []
        floats, deadly = quantization.float_layers(model), quantization.deadly_layers(model)
        told = {name: reason for name, reason in floats.items() if name not in deadly}
        warnings += [f"{', '.join(files)}: {name} stays float: {reason}." for name, reason in told.items()]
        warnings += [
            f"{', '.join(files)}: {name} joins results of LSTMs, which come out wrong (by 10 % of their range and "
            "more) where TFLite gives them one scale. Put a qat stage before the export: it keeps them apart."
            for name in quantization.sharing_scales(model)
        ]
        message = (
            f"cannot be int8 without a qat stage: {', '.join(deadly)} runs as a loop in TFLite, and the converter dies "
            "when it calibrates one after training. Put a qat stage before the export, build the layer with "
            "unroll=True, or write quantize: dynamic."
        )
        return [Problem(("export", "tflite", name, "quantize"), f"{name} {message}") for name in files if deadly]

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


def key_of(stage: Stage, recipe: Recipe, parent: str, data: str, sources: Sequence[str] = ()) -> str:
    """The store key of a stage of a recipe."""
    return fingerprint(parts_of(stage, recipe, parent, data, sources))


def parts_of(stage: Stage, recipe: Recipe, parent: str, data: str, sources: Sequence[str] = ()) -> dict[str, Any]:
    """What the store key of a stage is made of: neither its name nor its `judging` keys, for they change no result.

    Of models from elsewhere it knows what they are (`sources`, see `tfopt.engine.external_models.keys_of`), not where.

    Of an earlier stage that it uses, the key knows the place: what is there, is in the parent's key, and were only the
    name known, two stages that swap their names would be taken for one another.
    """
    dumped = stage.model_dump(mode="json", exclude={"name", *stage.judging})
    for path, _ in sources_in(stage):
        for place in PLACES:
            look_up(dumped, path).pop(place, None)
    config: dict[str, Any] = {
        "stage": dumped,
        "compile": recipe.compile.model_dump(mode="json"),
        "batch_size": batch_size_of(stage, recipe),
        "augment": recipe.data.augment.model_dump(mode="json") if recipe.data.augment else None,
    }
    if stage.uses():
        config["uses"] = [recipe.stages.index(recipe.stage(name)) for name in stage.uses()]
    if sources:
        config["sources"] = list(sources)
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


def tflite_variants(recipe: Recipe) -> dict[str, Variant]:
    """The `.tflite` files of a recipe, by name."""
    targets = [target for target in recipe.export if isinstance(target, Tflite)]
    return {name: variant for target in targets for name, variant in target.variants.items()}


def export_warnings(recipe: Recipe, parameters: int, examples: int) -> list[str]:
    """What is knowable about the files: budgets that no such file can meet, more calibration than there is data."""
    warnings: list[str] = []
    variants = tflite_variants(recipe)
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
