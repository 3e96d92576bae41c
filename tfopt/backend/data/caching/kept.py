"""The splits of a source, put where they stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from tfopt.backend.data.arrays.reading import is_in_memory, named
from tfopt.backend.data.caching.bad_examples import SHOWN, check_bad
from tfopt.backend.data.caching.choice import Choice, choose
from tfopt.backend.data.caching.keeping import Keeper, bytes_to_write
from tfopt.backend.data.caching.spool import is_spooled
from tfopt.backend.data.splits import Split
from tfopt.backend.types import ExampleArray, ExampleArrays
from tfopt.core.config.data import DataConfig
from tfopt.core.records.cache import CacheRecord


def kept(
    splits: Mapping[str, Split], config: DataConfig, folder: Path | None
) -> tuple[dict[str, Split], CacheRecord | None]:
    """Reads what is not in memory once, checks it, and puts it where it stays.

    Args:
        splits: as the source gave them.
        config: `cache` and `on_bad_example`.
        folder: of decoded examples; None for a temporary one.

    Returns:
        The splits without examples that cannot be read, and where they are; None where all were in memory anyway.

    Raises:
        StageError: examples cannot be read or are not finite, or do not fit where the recipe wants them.
    """
    lazy = [
        array
        for split in splits.values()
        for arrays in _of(split)
        for array in named(arrays).values()
        if not is_in_memory(array)
    ]
    if not lazy:
        return dict(splits), None
    size = sum(array.nbytes for array in lazy)
    choice = choose(config.cache, size, sum(bytes_to_write(array, folder) for array in lazy), folder)
    if choice.kind == "none" and all(map(is_spooled, lazy)):
        choice = Choice("disk", "a tf.data.Dataset cannot be read at any position")
    keeper = Keeper(choice.kind, folder)
    result: dict[str, Split] = {}
    skipped: list[str] = []
    for name, split in splits.items():
        what = f"{config.source}, {name} split"
        bad: dict[int, str] = {}
        places: list[ExampleArrays] = []
        for arrays in _of(split):
            stays: dict[str, ExampleArray] = {}
            for key, array in named(arrays).items():
                stays[key], found = keeper.keep(array, what)
                bad = {**found, **bad}
            places.append(stays if isinstance(arrays, dict) else stays[""])
        check_bad(bad, len(split), config.on_bad_example == "skip", what)
        result[name] = replace(split, inputs=places[0], targets=places[-1])
        if bad:
            good = np.setdiff1d(np.arange(len(split)), np.fromiter(bad, np.int64))
            result[name] = result[name].select(good)
            skipped += [bad[position] for position in sorted(bad)]
    record = CacheRecord(
        kind=choice.kind,
        bytes=size,
        reason=choice.reason,
        skipped=len(skipped),
        first_skipped=[message.rstrip(".") for message in skipped[:SHOWN]],
    )
    return result, record


def _of(split: Split) -> tuple[ExampleArrays, ...]:
    """Inputs and targets; once where they are the same."""
    return (split.inputs,) if split.targets is split.inputs else (split.inputs, split.targets)
