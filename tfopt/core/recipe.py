"""The recipe: frozen, complete, and the same after YAML -> Recipe -> YAML.

`build_recipe` turns a plain document into a Recipe and collects every mistake on the way; positions in the file are
added by `tfopt.io.recipe_file`, which knows them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, SerializeAsAny, ValidationError, field_validator

from tfopt.core.block import Block
from tfopt.core.budgets import Budget, parse_budgets
from tfopt.core.compile import Compile
from tfopt.core.data import DataConfig
from tfopt.core.export import Export
from tfopt.core.keras_names import closest
from tfopt.core.problems import problems_from
from tfopt.core.stage import Stage
from tfopt.core.traits import order_problems
from tfopt.errors import Problem, RecipeError

Document = Mapping[str, Any]
"""A recipe as plain dicts, lists, strings and numbers."""


@dataclass(frozen=True)
class Catalog:
    """The stages and exports that a recipe may name.

    Args:
        stages: stage classes by recipe key.
        exports: export classes by recipe key.
    """

    stages: Mapping[str, type[Stage]]
    exports: Mapping[str, type[Export]]


class ModelConfig(Block):
    """Which model."""

    source: str
    """A name from `tfopt ls models`, `keras.applications.NAME`, `package.module:function`, or a path to .keras, .h5 or
    a SavedModel folder."""
    args: dict[str, Any] = {}
    """Arguments of the model function."""


class _Head(Block):
    """All of a recipe but its stages and exports, whose classes come from the catalog."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    """Name of the recipe; its runs go to saved_models/<name>/."""
    description: str = ""
    """What the recipe is for, in a sentence."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of everything random but the splits."""
    data: DataConfig
    """Where examples come from."""
    model: ModelConfig
    """Which model."""
    compile: Compile = Compile()
    """Optimizer, loss and metrics."""


class Recipe(_Head):
    """A recipe that has passed every check that needs neither data nor TensorFlow."""

    stages: tuple[SerializeAsAny[Stage], ...]
    """The chain, in order."""
    export: tuple[SerializeAsAny[Export], ...] = ()
    """The files to write."""
    budgets: tuple[Budget, ...] = ()
    """Limits on what came out."""

    def to_document(self) -> dict[str, Any]:
        """The recipe as plain values, resolved: every default written out."""
        head = self.model_dump(mode="json", exclude={"stages", "export", "budgets"})
        head["stages"] = [{stage.kind: stage.model_dump(mode="json", exclude_none=True)} for stage in self.stages]
        head["export"] = {export.kind: export.model_dump(mode="json", exclude_none=True) for export in self.export}
        head["budgets"] = {budget.name: str(budget) for budget in self.budgets}
        return head

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
