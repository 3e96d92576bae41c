"""Keys: the same inputs give the same key on every machine and in every process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping


def canonical(value: object) -> str:
    """JSON with sorted keys and no white space: one text per value.

    Raises:
        TypeError: the value is not made of plain dicts, lists, strings, numbers, booleans and None.
        ValueError: it holds a number that is not finite.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def fingerprint(value: object) -> str:
    """SHA-256 of a plain value, as 64 hex digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def key_parts(
    *,
    parent: str,
    kind: str,
    version: int,
    config: Mapping[str, object],
    data: str,
    seed: int,
    versions: Mapping[str, str],
) -> dict[str, object]:
    """What identifies a stage's result: everything that can change it, and nothing else.

    The key is the fingerprint of these parts; they are stored with the artifact, so that a miss can be explained.

    Args:
        parent: key of the stage before, or the fingerprint of the starting model.
        kind: the stage's recipe key.
        version: the stage class's version.
        config: the resolved config of the stage, with all that it trains by (compile, batch size, augmentation).
        data: the data fingerprint.
        seed: the recipe's seed.
        versions: versions of tensorflow, tf_keras and tfmot.
    """
    return {
        "parent": parent,
        "kind": kind,
        "version": version,
        "config": dict(config),
        "data": data,
        "seed": seed,
        "versions": dict(versions),
    }


def changes(old: object, new: object, path: str = "") -> list[str]:
    """What is different in two plain values, as phrases: `config.stage.epochs was 5 and is 6`."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        found: list[str] = []
        for name in sorted({*old, *new}):
            found += changes(old.get(name), new.get(name), f"{path}.{name}" if path else str(name))
        return found
    return [] if old == new else [f"{path} was {_short(old)} and is {_short(new)}"]


def _short(value: object) -> str:
    text = "absent" if value is None else canonical(value).strip('"')
    return text if len(text) <= 40 else f"{text[:12]}..."
