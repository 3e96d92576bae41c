"""Compares a `.tflite` with a model on the data of a recipe: what `tfopt inspect --against` does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tfopt.core.contracts.events import Emit
from tfopt.core.contracts.export import ExportContext
from tfopt.core.recipe.recipe import Recipe
from tfopt.core.records.explanation import ExplanationRecord

if TYPE_CHECKING:
    from tfopt.core.config.files.tflite_variant import Variant


def inspect_against(
    file: Path, against: Path, recipe: Recipe, emit: Emit, *, sensitivity: bool, allow_unsafe: bool
) -> ExplanationRecord:
    """Compares a file with a model.

    Args:
        file: a `.tflite`.
        against: the model that is believed: a Keras file, SavedModel or `.tflite`.
        recipe: whose data, loss, metrics and budgets count; the keys of its file of the same name, too.
        emit: receives how many versions of the file have run.
        sensitivity: measures one layer at a time.
        allow_unsafe: runs Python code that a model file holds.

    Raises:
        UsageError: the file is no `.tflite`.
        StageError: the model or the data cannot be loaded, or do not fit together.
        ExportError: the file is malformed, does not run, or does not fit.
    """
    from tfopt.backend.data import load
    from tfopt.backend.export.against import Comparison, compare

    context = ExportContext(
        folder=file.parent,
        data=load.load(recipe.data, Path(recipe.folder)),
        compile=recipe.compile,
        seed=recipe.seed,
        emit=emit,
        budgets=recipe.budgets,
    )
    return compare(
        Comparison(
            file,
            against,
            file.stem,
            _variant(recipe, file.stem),
            context,
            allow_unsafe=allow_unsafe,
            sensitivity=sensitivity,
        )
    )


def _variant(recipe: Recipe, name: str) -> Variant | None:
    """The keys of a recipe's `.tflite` of that name; None where it has none."""
    for target in recipe.export:
        if name in (files := target.tflite_files()):
            return files[name]
    return None
