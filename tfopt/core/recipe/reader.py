"""Reading the lists of stages and exports, whose classes come from the catalog."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from pydantic import ValidationError

from tfopt.core.contracts.export import Export
from tfopt.core.contracts.stage import Stage
from tfopt.core.language.block import Block
from tfopt.core.language.suggest import closest
from tfopt.core.language.wording import quote, with_stop
from tfopt.core.recipe.catalog import Catalog
from tfopt.core.targets.table import Target
from tfopt.errors import Problem

Path = tuple[str | int, ...]
B = TypeVar("B", bound=Block)

_NAME = re.compile(r"(?!\d+$)[A-Za-z0-9][A-Za-z0-9_-]*")


def kind_of_entry(entry: object) -> str | None:
    """The kind of stage that an entry of `stages` is; None where the entry is not `{kind: ...}`."""
    return str(next(iter(entry))) if isinstance(entry, Mapping) and len(entry) == 1 else None


def stage_names(entries: Sequence[object]) -> list[str]:
    """The name of each entry of `stages`: its own, or its kind, numbered from the second on (`prune`, `prune_2`)."""
    names: list[str] = []
    counts: dict[str, int] = {}
    for entry in entries:
        kind = kind_of_entry(entry) or ""
        body = next(iter(entry.values())) if kind and isinstance(entry, Mapping) else None
        if isinstance(body, Mapping) and isinstance(body.get("name"), str) and body["name"]:
            names.append(body["name"])
            continue
        counts[kind] = counts.get(kind, 0) + 1
        names.append(kind if counts[kind] == 1 else f"{kind}_{counts[kind]}")
    return names


def read_stages(document: object, catalog: Catalog) -> tuple[dict[int, Stage], list[Problem]]:
    """The `stages` block.

    Returns:
        The stages that can be read, by index, and every mistake in the others.
    """
    if document is None:
        return {}, []
    if not isinstance(document, (list, tuple)):
        message = f"stages must be a list of stages such as [{{train: {{epochs: 10}}}}]. Got {quote(document)}."
        return {}, [Problem(("stages",), message, code="wrong_type")]
    stages: dict[int, Stage] = {}
    problems: list[Problem] = []
    names = stage_names(document)
    for index, (entry, name) in enumerate(zip(document, names, strict=True)):
        path: Path = ("stages", index)
        kind = kind_of_entry(entry)
        if kind is None:
            message = f"stage {index + 1} must be one kind with its keys, such as {{train: {{epochs: 10}}}}."
            problems.append(Problem(path, f"{message} Got {quote(entry)}.", code="wrong_type"))
            continue
        path = (*path, kind)
        if kind not in catalog.stages:
            guess = closest(kind, catalog.stages).strip() or f"Stages: {', '.join(sorted(catalog.stages))}."
            problems.append(Problem(path, f"there is no stage {kind!r}.", guess, on_key=True, code="unknown_stage"))
            continue
        problems += _name_problems(name, names[:index], path)
        body = next(iter(entry.values()))
        named = {"name": name, **body} if isinstance(body, Mapping) else {"name": name} if body is None else body
        stage = _read(catalog.stages[kind], named, path, name, problems)
        if stage is not None:
            stages[index] = stage if stage.name else stage.model_copy(update={"name": name})
    return stages, problems


def read_exports(
    document: object, catalog: Catalog, target: Target | None = None
) -> tuple[list[Export], list[Problem]]:
    """The `export` block.

    Args:
        document: as written.
        catalog: exports that may be named.
        target: where the files will run, which chooses defaults; None where the recipe does not say.

    Returns:
        The exports that can be read, and every mistake in the others.
    """
    if document is None:
        return [], []
    if not isinstance(document, Mapping):
        message = f"export must be a mapping such as {{tflite: {{int8: {{quantize: int8}}}}}}. Got {quote(document)}."
        return [], [Problem(("export",), message, code="wrong_type")]
    exports: list[Export] = []
    problems: list[Problem] = []
    taken: dict[str, str] = {}
    for key, body in document.items():
        kind = str(key)
        path: Path = ("export", key)
        if kind not in catalog.exports:
            guess = closest(kind, catalog.exports).strip() or f"Exports: {', '.join(sorted(catalog.exports))}."
            problems.append(Problem(path, f"there is no export {kind!r}.", guess, on_key=True, code="unknown_export"))
            continue
        cls, written = catalog.exports[kind], {} if body is None else body
        written = written if target is None else cls.with_defaults_of(written, target)
        export = _read(cls, written, path, f"export.{kind}", problems)
        if export is None:
            continue
        if target is not None:
            found = export.problems_on(target)
            problems += [Problem((*path, *each.path), with_stop(each.message), code=each.code) for each in found]
        exports.append(export)
        for name in export.names():
            if name in taken:
                message = (
                    f"export.{kind} writes {name!r}, and so does export.{taken[name]}: their metrics would be mixed up."
                )
                below = (name,) if isinstance(body, Mapping) and name in body else ()
                problems.append(
                    Problem((*path, *below), message, "Rename one of the two.", on_key=True, code="duplicate_name")
                )
            taken.setdefault(name, kind)
    return exports, problems


def _read(cls: type[B], body: object, path: Path, label: str, problems: list[Problem]) -> B | None:
    try:
        return cls.model_validate(body)
    except ValidationError as error:
        from tfopt.core.language.problems import problems_from  # only needed where something is wrong

        problems += problems_from(error, body, cls, path, label)
        return None


def _name_problems(name: str, earlier: Sequence[str], path: Path) -> list[Problem]:
    if not _NAME.fullmatch(name):
        message = f"a stage cannot be named {name!r}: its name becomes a path."
        return [
            Problem(
                (*path, "name"), message, "Use letters, digits, '-' and '_', and not digits alone.", code="invalid_name"
            )
        ]
    if name in earlier:
        return [
            Problem(
                (*path, "name"),
                f"two stages are named {name!r}.",
                "Give one of them another name.",
                code="duplicate_name",
            )
        ]
    return []
