"""Whether the `source` of data and model exists, and accepts its `args`."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from pathlib import Path

from tfopt.catalog.entries import find
from tfopt.catalog.references import is_function
from tfopt.core.config.training.keras_names import APPLICATIONS, KERAS_HUB
from tfopt.core.language.suggest import closest
from tfopt.errors import Problem
from tfopt.io.recipes.paths import SUFFIXES, Block, is_path, sources_of

_APPLICATION = "keras.applications."


def source_problems(document: Mapping[str, object]) -> list[Problem]:
    """Sources that name nothing, and arguments that a built-in source does not take.

    Args:
        document: a recipe as plain values with absolute paths, maybe with other mistakes.
    """
    found: list[Problem] = []
    for block, source, args in sources_of(document):
        if isinstance(source, str) and isinstance(args, Mapping):
            found += _of_source(block, source, args)
            model = document.get("model")
            if block == "model" and isinstance(model, Mapping) and not is_path(source, "model"):
                found += [_no_file(key, source) for key in ("allow_unsafe", "objects") if model.get(key)]
    return found


def _no_file(key: str, source: str) -> Problem:
    message = f"model.{key} has a meaning for model files only, and model.source is {source!r}."
    return Problem(("model", key), message, "Remove it.", on_key=True, code="meaningless_key")


def _of_source(block: Block, source: str, args: Mapping[str, object]) -> list[Problem]:
    place = (block, "source")
    if is_function(source) or (block == "model" and source.startswith(KERAS_HUB)):
        return []
    if is_path(source, block):
        return _of_path(block, source, args)
    if block == "model" and source.startswith(_APPLICATION):
        name = source.removeprefix(_APPLICATION)
        if name in APPLICATIONS:
            return []
        guess = closest(name, APPLICATIONS).strip() or f"It has: {', '.join(APPLICATIONS)}."
        return [Problem(place, f"model.source: keras.applications has no {name!r}.", guess, code="unknown_source")]
    return _of_name(block, source, args)


def _of_path(block: Block, source: str, args: Mapping[str, object]) -> list[Problem]:
    path = Path(source)
    # `Path.exists` raises on names that are too long or hold a zero byte.
    if not os.path.exists(source) and not (block == "data" and glob.glob(source)):
        hint = "A relative path starts at the folder of its recipe."
        return [
            Problem(
                (block, "source"),
                f"{block}.source is a path, but there is nothing at {path}.",
                hint,
                code="file_not_found",
            )
        ]
    if os.path.isfile(source) and path.suffix not in SUFFIXES[block]:
        kinds = ", ".join(SUFFIXES[block])
        return [
            Problem(
                (block, "source"),
                f"{block}.source is a file of no known kind: {path}.",
                f"Known: {kinds}.",
                code="unknown_file_type",
            )
        ]
    if block == "model" and args:
        message = f"model.args has the keys {', '.join(map(str, args))}, but a model file takes no arguments."
        return [Problem(("model", "args"), message, "Remove them.", on_key=True, code="meaningless_key")]
    return []


def _of_name(block: Block, source: str, args: Mapping[str, object]) -> list[Problem]:
    known = find("datasets" if block == "data" else "models", described=(source,))
    entry = known.get(source)
    if entry is None:
        what = "dataset" if block == "data" else "model"
        guess = closest(source, known).strip() or f"Known {what}s: {', '.join(sorted(known))}."
        hint = f"{guess} A path begins with './', code of your own is written package.module:function."
        return [
            Problem((block, "source"), f"{block}.source: there is no {what} {source!r}.", hint, code="unknown_source")
        ]
    mistakes = entry.signature.mistakes(source, args) if entry.signature else []
    return [
        Problem(
            (block, "args", *mistake.path),
            f"{block}.args: {mistake.message}",
            on_key=mistake.code == "unknown_argument",
            code=mistake.code,
        )
        for mistake in mistakes
    ]
