"""Writes docs/recipe.md from the classes of the recipe language: `python docs/write_recipe_reference.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tfopt.catalog.catalog import catalog, stage_classes
from tfopt.core.config.allocation import GlobalAllocation
from tfopt.core.config.data import Augment, DataConfig, Splits
from tfopt.core.config.distillation import Decoupled, LayerPair, Member, MovingAverage, Relational, Teacher
from tfopt.core.config.files.accepted_claims import AcceptedClaim
from tfopt.core.config.files.bundle_keys import BundleKeys
from tfopt.core.config.files.calibration import Calibration
from tfopt.core.config.files.detections import Detections
from tfopt.core.config.files.file_rules import FileRule
from tfopt.core.config.files.generate_file import GenerateFile
from tfopt.core.config.files.normalization import Normalization
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.pruning import PruneRule
from tfopt.core.config.quantization import QuantizeRule
from tfopt.core.config.ramps import Change
from tfopt.core.config.rewind import Rewind
from tfopt.core.config.shrink_budget import ShrinkBudget
from tfopt.core.config.shrinking import ShrinkRule
from tfopt.core.config.sweep import SweepConfig
from tfopt.core.config.text.text import TextConfig
from tfopt.core.config.text.token_changes import TokenChanges
from tfopt.core.config.text.tokenizers import tokenizer_kinds
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.keras_names import LOSSES, METRICS, OPTIMIZERS
from tfopt.core.config.training.learning_rate import (
    ConstantRate,
    CosineRate,
    ExponentialRate,
    PiecewiseRate,
    PlateauRate,
)
from tfopt.core.contracts.stage import EarlyStopping
from tfopt.core.language.docstrings import key_docstrings
from tfopt.core.recipe.recipe import ModelConfig, Recipe

HEAD = """\
# The recipe, key by key

Made from the classes that check recipes, by `python docs/write_recipe_reference.py`. The same as a JSON Schema for
editors: `tfopt schema > recipe.schema.json`.

Quantities have units: fractions `70%`, spans `3 epochs` or `200 steps`, sizes `60 kB`, times `5 ms`. An unknown key is
an error, and no key is accepted and then ignored. YAML is version 1.2: `1e-3` is a number and `on` is a string.

`extends: other.yaml` starts from a different recipe: mappings merge; a different `kind`, `name` or `source` replaces a
block, a list of stages replaces the list, and a mapping of stages (`stages: {prune: {epochs: 3}}`) changes them by
name. `--set a.b=c` on the command line, or `recipe.with_overrides({"a.b": c})`, changes a value; a stage is addressed
by its name.
"""

BUDGETS = """\
`FILE.MEASURE: LIMIT`, where a measure is `bytes`, `gzip_bytes`, `latency_ms`, `agreement` (for regression: the largest
absolute difference), `relative_error` (regression: error over the standard deviation of the outputs), `within_quantum`
(int8 after `qat`: share of output values within one quantum of the simulated model's), `anomaly_auc` (data with known
anomalies), a metric, or a metric with `_drop`; of files of `generate` also `decode_tokens_per_second`,
`prefill_tokens_per_second`, `time_to_first_token` and `cache_bytes`. Sizes, times, differences, errors and drops are
upper limits; agreement, tokens per second and metrics are lower ones (upper ones for errors such as `mae`, and for
`perplexity` and `bits_per_character`). A budget that is not met is exit code 7.
"""

LEARNING_RATES = (ConstantRate, ExponentialRate, CosineRate, PiecewiseRate, PlateauRate)

TEACHING = {
    "members": Member,
    "ema": MovingAverage,
    "layers": LayerPair,
    "layers.loss: {kind: relational}": Relational,
    "loss: {kind: decoupled}": Decoupled,
    "temperature: {kind: linear}": Change,
}
"""Blocks inside `teacher`, as a recipe writes them."""


def table(block: type[BaseModel], leave_out: frozenset[str] = frozenset()) -> Iterator[str]:
    """A table of a block's keys."""
    yield "| key | meaning | default |"
    yield "|---|---|---|"
    documented = key_docstrings(block)
    for name, field in block.model_fields.items():
        if name not in leave_out and not field.exclude:  # an old name of a key is read, but not written
            yield f"| `{name}` | {' '.join(documented.get(name, '').split())} | {default(field)} |"
    yield ""


def default(field: Any) -> str:
    """A key's default as one would write it."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "none"
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, tuple):
        return "none" if not value else "see below" if isinstance(value[0], BaseModel) else f"`{list(value)}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, dict):
        return "none"
    return "none" if value == "" else f"`{value}`"


def names(title: str, known: dict[str, Any]) -> Iterator[str]:
    """A table of Keras names with their arguments."""
    yield f"| {title} | arguments |"
    yield "|---|---|"
    for name, found in sorted(known.items()):
        yield f"| `{name}` | {', '.join(f'`{argument}`' for argument in found.arguments) or 'none'} |"
    yield ""


def sections() -> Iterator[str]:
    """The page, line by line."""
    yield HEAD
    yield "## The recipe itself\n"
    yield from table(Recipe)
    yield "## `data`\n"
    yield from table(DataConfig)
    yield "### `data.splits`\n"
    yield from table(Splits)
    yield "### `data.augment`\n"
    yield from table(Augment)
    yield "### `data.augment.tokens`\n"
    yield from table(TokenChanges)
    yield "### `data.text`\n"
    yield "Token ids in place of texts; [a guide](text.md).\n"
    yield from table(TextConfig)
    for tokenizer in tokenizer_kinds():
        yield f"#### `data.text.tokenizer: {{kind: {tokenizer.model_fields['kind'].default}}}`\n"
        yield f"{(tokenizer.__doc__ or '').strip().splitlines()[0]}\n"
        yield from table(tokenizer, frozenset({"kind"}))
    yield "## `model`\n"
    yield from table(ModelConfig)
    yield "## `compile`\n"
    yield from table(Compile)
    yield "An optimizer, loss or metric is its name, or a mapping of `name` and its own arguments.\n"
    yield from names("optimizer", OPTIMIZERS)
    yield from names("loss", LOSSES)
    yield from names("metric", METRICS)
    yield "### Learning rates\n"
    yield "A number, or one of these; spans are relative to the stage.\n"
    for rate in LEARNING_RATES:
        yield f"#### `kind: {rate.model_fields['kind'].annotation.__args__[0]}`\n"
        yield f"{(rate.__doc__ or '').strip().splitlines()[0]}\n"
        yield from table(rate, frozenset({"kind"}))
    yield "## `stages`\n"
    yield "A list; each entry is `- kind: {keys}`. The order is checked; an error names the reason.\n"
    for name, stage in sorted(stage_classes().items()):
        yield f"### `{name}`\n"
        yield f"{(stage.__doc__ or '').strip().splitlines()[0]}\n"
        yield from table(stage)
    yield "### `early_stopping`\n"
    yield f"{(EarlyStopping.__doc__ or '').strip().splitlines()[0]}\n"
    yield from table(EarlyStopping)
    yield "### `teacher`\n"
    yield f"In any stage that trains. {(Teacher.__doc__ or '').strip().splitlines()[0]}\n"
    yield from table(Teacher)
    for name, block in TEACHING.items():
        yield f"#### `teacher.{name}`\n"
        yield f"{(block.__doc__ or '').strip().splitlines()[0]}\n"
        yield from table(block)
    yield "### `prune.layers`\n"
    yield from table(PruneRule)
    yield "### `prune.allocation: {kind: global}`\n"
    yield from table(GlobalAllocation)
    yield "### `prune.rewind`\n"
    yield from table(Rewind)
    yield "All kinds of schedules: [Sparsity schedules](schedules.md).\n"
    yield "### `shrink.to`\n"
    yield from table(ShrinkBudget)
    yield "### `shrink.layers`\n"
    yield from table(ShrinkRule)
    yield "### `qat.layers`\n"
    yield from table(QuantizeRule)
    yield "## `export`\n"
    yield "`saved_model: {}`, `keras: {}`, and `tflite:` with named variants:\n"
    yield from table(Variant)
    yield "### `calibration` of a file\n"
    yield "A number of examples, or these keys; [what each is worth](calibration.md).\n"
    yield from table(Calibration)
    yield "### `layers` of a file\n"
    yield from table(FileRule)
    yield "### `detections` of a file\n"
    yield from table(Detections)
    yield "### `saved_model`\n"
    yield from table(catalog().exports["saved_model"])
    yield "### `generate`\n"
    yield "Language models, token after token; [how, and what is proven](generation.md).\n"
    yield from table(catalog().exports["generate"])
    yield "#### `files` of `generate` and `streaming`\n"
    yield from table(GenerateFile)
    yield "### `streaming`\n"
    yield "Recurrent models that read frames as they come; [how](generation.md#streams).\n"
    yield from table(catalog().exports["streaming"])
    yield "### `bundle`\n"
    yield "For app teams, made of the `.tflite` files; [what is in it](bundle.md).\n"
    yield from table(BundleKeys)
    yield "#### `normalization`\n"
    yield from table(Normalization)
    yield "### `accept`\n"
    yield "Also a key of `saved_model` and `keras`.\n"
    yield from table(AcceptedClaim)
    yield "## `budgets`\n"
    yield BUDGETS
    yield "## `sweep`\n"
    yield from table(SweepConfig)


def page() -> str:
    """All of docs/recipe.md."""
    return "\n".join(sections()).rstrip() + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("recipe.md").write_text(page(), encoding="utf-8")
