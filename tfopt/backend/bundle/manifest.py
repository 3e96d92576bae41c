"""`manifest.json`: every file of a bundle with its checksum, and the figures of its `.tflite` files; and the zip."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from tfopt.backend.bundle.contents import About, Bundled
from tfopt.core.contracts.export import ExportContext

NAME = "manifest.json"
FORMAT = "tfopt bundle"
VERSION = 1
"""Of the manifest; raised when the meaning of a key changes."""

_TIME = (1980, 1, 1, 0, 0, 0)
"""Of every file in the zip: the same contents give the same bytes."""


def write(
    folder: Path, files: Sequence[Bundled], left_out: Mapping[str, str], about: About, context: ExportContext
) -> None:
    """Writes the manifest of a bundle whose other files are there.

    Args:
        folder: of the bundle.
        files: its `.tflite` files.
        left_out: why a file is not in it, by name.
        about: what is said about the model.
        context: of the export.
    """
    content = {
        "format": FORMAT,
        "version": VERSION,
        "model": {
            "name": about.meaning.name,
            "description": about.meaning.description,
            "version": about.meaning.version,
            "author": about.meaning.author,
            "licence": about.meaning.licence,
            "labels": _labels(about),
            "normalization": _normalization(about),
        },
        "made_by": {
            **about.versions,
            "recipe": context.recipe,
            "run": context.folder.parent.name,
            "seed": context.seed,
            "data": context.data.record().model_dump(mode="json"),
        },
        "variants": [_variant(file) for file in files],
        "left_out": dict(left_out),
        "files": checksums(folder),
    }
    (folder / NAME).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _labels(about: About) -> list[str] | dict[str, list[str]]:
    """A list; by output where outputs have different ones."""
    if len({*about.labels.values()}) < 2:
        return list(next(iter(about.labels.values()), ()))
    return {output: list(names) for output, names in about.labels.items()}


def _normalization(about: About) -> dict[str, object] | None:
    raw = about.raw
    if raw is None:
        return None
    numbers = {"mean": list(raw.mean), "std": list(raw.std), "raw": raw.dtype, "resized": raw.resized}
    sound = {"sample_rate": raw.sample_rate, "features": None if raw.audio is None else asdict(raw.audio)}
    return {**numbers, **({} if raw.sample_rate is None else sound)}


def _variant(file: Bundled) -> dict[str, object]:
    record, ports = file.record, file.golden.ports
    return {
        "name": record.name,
        "file": f"{record.name}.tflite",
        "measures": record.measures,
        "claims": [claim.model_dump(mode="json") for claim in record.claims],
        "inputs": [{**port.record(), "golden": file.stems[f"input {port.name}"]} for port in ports.inputs],
        "outputs": [
            {**port.record(), "golden": file.stems[f"output {port.name}"], "tolerance": file.tolerances[port.name]}
            for port in ports.outputs
        ],
        "stateful": ports.stateful,
        "examples": len(next(iter(file.golden.inputs.values()))),
    }


def checksums(folder: Path) -> dict[str, dict[str, object]]:
    """Size and SHA-256 of every file of a bundle but the manifest, by path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != NAME:
            found[name] = {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    return found


def archive(folder: Path, target: Path) -> Path:
    """Writes a bundle as a zip with one folder inside.

    Args:
        folder: of the bundle.
        target: the zip.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as written:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}", _TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                written.writestr(entry, path.read_bytes())
    return target


def remove(folder: Path, name: str) -> None:
    """Takes what was written for a file out of a bundle again."""
    for suffix in (".tflite", ".cc", ".h"):
        (folder / f"{name}{suffix}").unlink(missing_ok=True)
    for part in ("golden", "snippets"):
        shutil.rmtree(folder / part / name, ignore_errors=True)
