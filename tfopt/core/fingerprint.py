"""Keys: the same inputs give the same key on every machine and in every process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical(value: Any) -> str:
    """JSON with sorted keys and no white space: one text per value.

    Raises:
        TypeError: the value is not made of plain dicts, lists, strings, numbers, booleans and None.
        ValueError: it holds a number that is not finite.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def fingerprint(value: Any) -> str:
    """SHA-256 of a plain value, as 64 hex digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def stage_key(
    *,
    parent: str,
    kind: str,
    version: int,
    config: Mapping[str, Any],
    data: str,
    seed: int,
    versions: Mapping[str, str],
) -> str:
    """The key of a stage's result: everything that can change it, and nothing else.

    Args:
        parent: key of the stage before, or the fingerprint of the starting model.
        kind: the stage's recipe key.
        version: the stage class's version.
        config: the resolved config of the stage, with all that it trains by (compile, batch size, augmentation).
        data: the data fingerprint.
        seed: the recipe's seed.
        versions: versions of tensorflow, tf_keras and tfmot.
    """
    return fingerprint(key_parts(parent=parent, kind=kind, version=version, config=config, data=data, seed=seed, versions=versions))


def key_parts(
    *,
    parent: str,
    kind: str,
    version: int,
    config: Mapping[str, Any],
    data: str,
    seed: int,
    versions: Mapping[str, str],
) -> dict[str, Any]:
    """What goes into a stage key, readable: kept beside the artifact, so that a miss can be explained."""
    return {
        "parent": parent,
        "kind": kind,
        "version": version,
        "config": dict(config),
        "data": data,
        "seed": seed,
        "versions": dict(versions),
    }
