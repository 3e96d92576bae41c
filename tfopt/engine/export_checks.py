"""What is known about the files of a recipe before anything is trained."""

from __future__ import annotations

from tfopt.core.config.tflite_variant import Variant
from tfopt.core.recipe.recipe import Recipe
from tfopt.export.tflite import Tflite

_LEAST_SHARE = 0.9
"""A file may be a little smaller than its weights alone: batch normalization is folded away."""


def tflite_variants(recipe: Recipe) -> dict[str, Variant]:
    """The `.tflite` files of a recipe, by name."""
    targets = [target for target in recipe.export if isinstance(target, Tflite)]
    return {name: variant for target in targets for name, variant in target.variants.items()}


def export_warnings(recipe: Recipe, parameters: int, examples: int) -> list[str]:
    """What is knowable about the files: budgets that no such file can meet, more calibration than there is data."""
    warnings: list[str] = []
    variants = tflite_variants(recipe)
    for name, variant in variants.items():
        if variant.mode.calibrated and variant.calibration > examples:
            warnings.append(
                f"{name}: calibration asks for {variant.calibration} examples, the training split has {examples}; "
                "all of them are used."
            )
    for budget in recipe.budgets:
        target = variants.get(budget.export)
        if budget.measure != "bytes" or target is None or target.sparse:
            continue
        least = round(parameters * target.mode.bytes_per_parameter * _LEAST_SHARE)
        if budget.limit < least:
            warnings.append(
                f"{budget.name}: {budget.limit:,.0f} bytes cannot be met: {parameters:,} parameters alone take about "
                f"{least:,} bytes with quantize: {target.quantize} (sparsity shrinks the gzipped file, not this one)."
            )
    return warnings
