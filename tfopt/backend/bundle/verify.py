"""Whether a bundle on disk is still what was written, and whether its files still return their golden outputs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfopt.backend.bundle import golden, manifest
from tfopt.core.claims.failures import Failure, attempt
from tfopt.core.records.report import ClaimRecord
from tfopt.errors import ExportError


def is_bundle(folder: Path) -> bool:
    """Whether a folder has the manifest of a bundle."""
    return (folder / manifest.NAME).is_file()


def verify(folder: Path) -> list[ClaimRecord]:
    """Checks a bundle: checksums, then every file on its golden inputs.

    Args:
        folder: of the bundle.

    Raises:
        ExportError: the manifest cannot be read.
    """
    content = _manifest(folder)
    try:
        claims = [_checksums(folder, content["files"])]
        return claims + [_golden(folder, variant) for variant in content["variants"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise _malformed(folder, f"{type(error).__name__}: {error}") from error


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / manifest.NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _malformed(folder, str(error)) from error
    if not isinstance(content, dict) or content.get("format") != manifest.FORMAT:
        raise _malformed(folder, f"its format is not {manifest.FORMAT!r}")
    if content.get("version") != manifest.VERSION:
        raise _malformed(folder, f"its version is {content.get('version')!r}, this tfopt reads {manifest.VERSION}")
    return content


def _malformed(folder: Path, reason: str) -> ExportError:
    return ExportError(
        f"{folder / manifest.NAME} is not the manifest of a bundle: {reason}.",
        "Copy the bundle again.",
        code="malformed_file",
    )


def _checksums(folder: Path, expected: Mapping[str, Mapping[str, Any]]) -> ClaimRecord:
    found = manifest.checksums(folder)
    missing = [name for name in expected if name not in found]
    changed = [name for name in expected if name in found and found[name]["sha256"] != expected[name]["sha256"]]
    parts = [f"{what}: {', '.join(names)}" for what, names in (("missing", missing), ("changed", changed)) if names]
    text = "; ".join(parts) if parts else f"{len(expected)} files"
    return ClaimRecord(claim="every file is as it was written", held=not parts, found=text, code="checksums_match")


def _golden(folder: Path, variant: Mapping[str, Any]) -> ClaimRecord:
    compared = attempt(_differences, folder, variant)
    wrong = [compared.reason] if isinstance(compared, Failure) else compared
    return ClaimRecord(
        claim=f"{variant['name']}: the golden outputs come from the golden inputs",
        held=not wrong,
        found="; ".join(wrong) if wrong else f"{variant['examples']} examples",
        code="golden_reproduced",
    )


def _differences(folder: Path, variant: Mapping[str, Any]) -> list[str]:
    examples = folder / "golden" / str(variant["name"])
    inputs = {port["name"]: examples / f"{port['golden']}.npy" for port in variant["inputs"]}
    with tempfile.TemporaryDirectory(prefix="tfopt-bundle-") as work:
        found = golden.run(folder / str(variant["file"]), inputs, Path(work), quantized=True).outputs
    wrong = []
    for port in variant["outputs"]:
        expected = np.load(examples / f"{port['golden']}.npy", allow_pickle=False)
        values = found[port["name"]]
        if values.shape != expected.shape:
            wrong.append(f"{port['name']} has the shape {values.shape}, expected {expected.shape}")
            continue
        off = np.abs(values.astype(np.float64) - expected.astype(np.float64)).max(initial=0)
        if not off <= port["tolerance"]:
            wrong.append(f"{port['name']} is off by {off:g}, tolerated are {port['tolerance']:g}")
    return wrong
