"""What a target chooses for a `.tflite` file, and what of a file it cannot run: from the recipe alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.quantization_modes import DEFAULT, MODES
from tfopt.core.language.mistakes import Mistake
from tfopt.core.targets.table import Target

_NAMES_OF_MODES = frozenset({"float32", "float"})
"""Names of files that say a mode and are no value of `quantize`."""


def file_for_target(name: str, body: object, target: Target) -> object:
    """The keys of a file as written, with what the target chooses where they say nothing.

    Args:
        name: of the file. One that is named like another mode keeps its own defaults, so that `target_mistakes` can say
            what is wrong instead of writing an int8 file of the name float32.
        body: its keys, or None.
        target: where it will run.
    """
    if body is not None and not isinstance(body, Mapping):
        return body
    written: dict[Any, Any] = dict(body or {})
    named_like_a_mode = name in _NAMES_OF_MODES or name in MODES
    if "quantize" not in written and target.quantize != DEFAULT and (name == target.quantize or not named_like_a_mode):
        written["quantize"] = target.quantize
    mode = MODES.get(written.get("quantize", DEFAULT)) if isinstance(written.get("quantize", DEFAULT), str) else None
    if "io" not in written and mode is not None and mode.integer_only and target.io in mode.io:
        written["io"] = target.io
    if "batch" not in written and target.fixed_shapes:
        written["batch"] = 1
    return written


def target_mistakes(name: str, variant: Variant, target: Target) -> Iterator[Mistake]:
    """What of a file a target cannot run.

    Args:
        name: of the file.
        variant: its keys.
        target: where it will run.
    """
    why = target.refuses(variant.mode)
    if why:
        able = [mode for mode, row in MODES.items() if not target.refuses(row)]
        message = f"{name}: {target.runtime} cannot run a file of quantize: {variant.quantize}: {why}. "
        yield Mistake(("quantize",), message + f"Use quantize: {' or '.join(able)}", code="target_lacks")
    for index, rule in enumerate(variant.layers or ()):
        in_integers = variant.mode.integer_only and not rule.keeps_float
        mode = replace(rule.mode, activations=variant.mode.activations) if in_integers else rule.mode
        if not why and (of_rule := target.refuses(mode)):
            yield Mistake(
                ("layers", index, "quantize"),
                f"{name}: {target.runtime} cannot run layers of quantize: {rule.quantize}: {of_rule}",
                code="target_lacks",
            )
    if target.fixed_shapes and variant.any_batch:
        message = f"{name}: {target.runtime} needs fixed shapes: leave batch out, or write batch: 1"
        yield Mistake(("batch",), message, code="target_lacks")
    if target.fixed_shapes and not variant.fixed_shape:
        message = f"{name}: {target.runtime} needs fixed shapes: leave shape out, or write shape: data"
        yield Mistake(("shape",), message, code="target_lacks")
