"""The recipe: frozen, complete, and the same after YAML -> Recipe -> YAML.

`build_recipe` turns a plain document into a Recipe and collects every mistake on the way; positions in the file are
added by `tfopt.io.recipes.recipe_file`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, SerializeAsAny, ValidationError, field_validator

from tfopt.core.config.budgets import NOT_OF_KERAS, OF_GENERATIVE, OF_TFLITE, Budget, parse_budgets
from tfopt.core.config.data import DataConfig
from tfopt.core.config.sweep import SweepConfig
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.distribution import Distribute
from tfopt.core.config.training.precision import Precision
from tfopt.core.contracts.export import Export
from tfopt.core.contracts.stage import Stage
from tfopt.core.language.block import Block, KeyMistake
from tfopt.core.language.plain import plain_copy
from tfopt.core.language.wording import quote
from tfopt.core.recipe.catalog import Catalog
from tfopt.core.recipe.checks import chain_problems, compile_problems, export_problems, stage_problems
from tfopt.core.recipe.overrides import apply_overrides
from tfopt.core.recipe.reader import kind_of_entry, read_exports, read_stages, stage_names
from tfopt.core.recipe.stage_order import order_problems
from tfopt.core.targets.table import TARGETS, TargetName, describe_targets
from tfopt.errors import Problem, RecipeError

Document = Mapping[str, Any]
"""A recipe as plain dicts, lists, strings and numbers."""

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"


def _without_place(problem: Problem) -> Problem:
    return problem


@dataclass(frozen=True)
class Origin:
    """Where a recipe comes from; not compared, so that two recipes with the same content are equal.

    Args:
        catalog: the stages and exports it could name.
        folder: folder of its file, in which modules of `package.module:function` are found; the current one without a
            file.
        place: finds the location of a problem in the file; a named function, so that a recipe can be pickled.
    """

    catalog: Catalog = field(default=Catalog({}, {}), compare=False)
    folder: str = field(default=".", compare=False)
    place: Callable[[Problem], Problem] = field(default=_without_place, compare=False)


class ModelConfig(Block):
    """Which model."""

    source: str
    """A name from `tfopt ls models`, `keras.applications.NAME`, `keras_hub.models.NAME`, `package.module:function`, or
    a path to .keras, .h5 or a SavedModel folder."""
    args: dict[str, object] = {}
    """Arguments of the model function."""
    allow_unsafe: bool = False
    """Whether a model file may run code: Python bytecode that it holds (Lambda layers), and modules that it names. For
    files whose author you trust."""
    objects: tuple[str, ...] | None = None
    """Modules of the classes and functions that a model file is made of, next to the recipe or installed:
    `package.module` for all that a module defines and registers, `package.module:name` for one of them."""

    @field_validator("objects")
    @classmethod
    def _named_modules(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for index, named in enumerate(value or ()):
            module, colon, name = named.partition(":")
            names = [*module.split("."), *([name] if colon else [])]
            if not all(part.isidentifier() for part in names):
                raise KeyMistake(
                    (index,), f"must be package.module or package.module:name. Got {named!r}", code="wrong_type"
                )
        return value


class Head(Block):
    """All of a recipe but its stages and exports, whose classes come from the catalog."""

    name: Annotated[str, Field(json_schema_extra={"pattern": f"^{_NAME}$"})]
    """Name of the recipe; its runs go to saved_models/<name>/."""
    description: str = ""
    """What the recipe is for, in a sentence."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of everything random but the splits."""
    data: DataConfig
    """Where examples come from."""
    model: ModelConfig
    """Which model."""
    compile: Compile = Compile.model_construct()
    """Optimizer, loss and metrics."""
    precision: Precision | None = None
    """What training computes in (default: float32). In mixed precision, convolutions and matrix products compute in 16
    bits; weights, masks, shared values, ranges, checkpoints and files are those of float32. `mixed_float16` scales the
    loss; `mixed_bfloat16` has the range of float32 and needs no scale. `qat` trains in float32."""
    distribute: Distribute = None
    """Train on several devices: `mirrored`, `multi_worker`, `auto`, or a block with `strategy` and `devices`."""
    sweep: SweepConfig | None = None
    """Variants of this recipe, for `tfopt sweep`; `tfopt run` carries out the recipe itself."""
    target: Annotated[TargetName | None, Field(description=describe_targets())] = None

    @field_validator("name")
    @classmethod
    def _usable_as_folder(cls, value: str) -> str:
        if not re.fullmatch(_NAME, value):
            raise ValueError("must be made of letters, digits, '.', '-' and '_', and begin with a letter or digit")
        return value


class Recipe(Head):
    """A recipe that has passed every check that needs neither data nor TensorFlow."""

    stages: tuple[SerializeAsAny[Stage], ...] = ()
    """The chain, in order."""
    export: tuple[SerializeAsAny[Export], ...] = ()
    """The files to write."""
    budgets: tuple[Budget, ...] = ()
    """Limits on what came out."""

    _origin: Origin = PrivateAttr(default=Origin())

    @property
    def folder(self) -> str:
        """Folder of the recipe's file: modules that it names are looked for there too."""
        return self._origin.folder

    @property
    def catalog(self) -> Catalog:
        """The stages and exports that it could name."""
        return self._origin.catalog

    def error(self, problems: Sequence[Problem]) -> RecipeError:
        """The error for mistakes that showed only with data and model at hand, each with its location in the file."""
        return RecipeError([self._origin.place(problem) for problem in problems])

    def coming_from(self, origin: Origin) -> Recipe:
        """The same recipe, knowing where it comes from."""
        recipe = self.model_copy()
        recipe._origin = origin
        return recipe

    def compiled_with(self, compile: Compile) -> Recipe:
        """The same recipe with a different `compile` block; itself where that is the same."""
        return self if compile is self.compile else self.model_copy(update={"compile": compile})

    def to_document(self) -> dict[str, Any]:
        """The recipe as plain values, resolved: every default written out."""
        document = self.model_dump(mode="json", exclude={"stages", "export", "budgets"})
        # As given: writing JSON would make a text of a key that is a number.
        document["data"]["args"] = plain_copy(self.data.args)
        document["model"]["args"] = plain_copy(self.model.args)
        document["stages"] = [{stage.kind: stage.model_dump(mode="json")} for stage in self.stages]
        document["export"] = {export.kind: export.model_dump(mode="json") for export in self.export}
        document["budgets"] = {budget.name: str(budget) for budget in self.budgets}
        return document

    def with_overrides(self, overrides: Mapping[str, object]) -> Recipe:
        """A new recipe with values replaced by path.

        Args:
            overrides: e.g. `{"stages.prune.schedule.final": "90%", "seed": 3}`; see `tfopt.core.recipe.overrides`.

        Raises:
            RecipeError: a path leads nowhere, or the result is not a valid recipe.
        """
        catalog = Catalog(
            {**self._origin.catalog.stages, **{stage.kind: type(stage) for stage in self.stages}},
            {**self._origin.catalog.exports, **{export.kind: type(export) for export in self.export}},
        )
        changed = apply_overrides(self.to_document(), overrides, catalog, Head)
        recipe, problems = read_recipe(changed.document, catalog)
        if recipe is None or changed.problems:
            raise RecipeError([*changed.problems, *problems])
        return recipe.coming_from(Origin(catalog, self.folder, self._origin.place))

    def stage(self, name: str) -> Stage:
        """The stage of that name.

        Raises:
            KeyError: there is none.
        """
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)

    def export_names(self) -> tuple[str, ...]:
        """Names of all files, as budgets and reports call them."""
        return tuple(name for export in self.export for name in export.names())


def build_recipe(document: object, catalog: Catalog) -> Recipe:
    """A recipe from plain values.

    Args:
        document: the plain values of a YAML file.
        catalog: stages and exports that may be named.

    Raises:
        RecipeError: with every mistake.
    """
    recipe, problems = read_recipe(document, catalog)
    if recipe is None:
        raise RecipeError(problems)
    return recipe


def read_recipe(document: object, catalog: Catalog) -> tuple[Recipe | None, list[Problem]]:
    """As `build_recipe`, but gives the mistakes back: there is a recipe exactly where there are none."""
    if not isinstance(document, Mapping):
        return None, [
            Problem((), f"a recipe must be a mapping (keys with values). Got {quote(document)}.", code="wrong_type")
        ]
    head, problems = _read_head(document)
    stages, of_stages = read_stages(document.get("stages"), catalog)
    exports, of_exports = read_exports(document.get("export"), catalog, TARGETS.get(str(document.get("target"))))
    if not document.get("stages") and not document.get("export"):
        of_stages.append(
            Problem((), "the recipe has neither stages nor export: it would do nothing.", code="empty_recipe")
        )
    if not of_stages:
        of_stages += chain_problems(list(stages.values()))
    if not of_exports:
        of_exports += export_problems(exports)
    problems += of_stages + _order(document, catalog) + of_exports
    if str(document.get("target")) in TARGETS and not of_exports and not any(each.tflite_files() for each in exports):
        message = f"target: {document['target']} is about .tflite files, and this recipe writes none."
        problems.append(
            Problem(("target",), message, "Add export.tflite, or leave target out.", code="conflicting_keys")
        )
    budgets: tuple[Budget, ...] = ()
    compile = head.compile if head else _compile_alone(document)
    if compile is not None:
        problems += compile_problems(compile, list(stages.values()))
        for index, stage in stages.items():
            problems += stage_problems(
                stage, ("stages", index, stage.kind), compile, head.data.augment if head else None
            )
        names = None if of_exports else [name for export in exports for name in export.names()]
        budgets, of_budgets = parse_budgets(document.get("budgets"), names, compile)
        problems += [*of_budgets, *_measured_nowhere(budgets, exports)]
    if head is None or problems:
        return None, problems
    parts = {key: getattr(head, key) for key in Head.model_fields}
    # All parts are valid: building a validator for the whole would be a tenth of the time of `tfopt validate`.
    recipe = Recipe.model_construct(**parts, stages=tuple(stages.values()), export=tuple(exports), budgets=budgets)
    return recipe.coming_from(Origin(catalog)), []


def _measured_nowhere(budgets: Sequence[Budget], exports: Sequence[Export]) -> list[Problem]:
    """Budgets on what only `.tflite` files have, of other files."""
    others = {name: export.kind for export in exports if export.kind != "tflite" for name in export.names()}
    of_tflite = {
        budget.name
        for budget in budgets
        if (budget.measure in OF_TFLITE and others.get(budget.export, "generate") != "generate")
        or (_is_any(budget.measure, NOT_OF_KERAS) and others.get(budget.export) in ("keras", "saved_model"))
    }
    return [
        Problem(
            ("budgets", budget.name),
            f"budgets.{budget.name} is measured of .tflite files only; {budget.export} is of {others[budget.export]}.",
            on_key=True,
            code="unknown_name",
        )
        for budget in budgets
        if budget.name in of_tflite
    ] + [
        Problem(
            ("budgets", budget.name),
            f"budgets.{budget.name} is measured of generative files only (export.generate).",
            on_key=True,
            code="unknown_name",
        )
        for budget in budgets
        if budget.measure in OF_GENERATIVE
        and budget.export in {name for export in exports if export.kind != "generate" for name in export.names()}
    ]


def _is_any(measure: str, names: Sequence[str]) -> bool:
    """Whether a measure is one of these, possibly of one of several outputs."""
    return any(measure == name or measure.endswith(f"_{name}") for name in names)


def _order(document: Document, catalog: Catalog) -> list[Problem]:
    """Stages in the wrong position, where all kinds are known."""
    entries = document.get("stages")
    if not isinstance(entries, (list, tuple)):
        return []
    kinds = [kind_of_entry(entry) for entry in entries]
    known = [kind for kind in kinds if kind is not None and kind in catalog.stages]
    if len(known) != len(kinds):
        return []
    chain = list(zip(stage_names(entries), [catalog.stages[kind] for kind in known], strict=True))
    return [
        Problem(("stages", index, known[index]), mistake.message, on_key=True, code=mistake.code)
        for index, mistake in order_problems(chain)
    ]


_BESIDE_HEAD = ("stages", "export", "budgets")


def _read_head(document: Document) -> tuple[Head | None, list[Problem]]:
    own = {key: value for key, value in document.items() if key not in _BESIDE_HEAD}
    try:
        return Head.model_validate(own), []
    except ValidationError as error:
        from tfopt.core.language.problems import problems_from  # only needed where something is wrong

        return None, problems_from(error, own, Head, also_known=_BESIDE_HEAD)


def _compile_alone(document: Document) -> Compile | None:
    """The compile block of a recipe whose head has mistakes, so that what depends on it is checked all the same."""
    try:
        return Compile.model_validate(document.get("compile", {}))
    except ValidationError:
        return None
