"""Sets validation and test examples aside, for sources that declare no such splits."""

from __future__ import annotations

import numpy as np

from tfopt.backend.data.drawing import held_out, held_out_groups
from tfopt.backend.data.per_example.keys import positions_by_hash
from tfopt.backend.data.splits import Split
from tfopt.backend.types import Array
from tfopt.core.config.data import Splits
from tfopt.errors import StageError

SHARES = {"test": 1, "validation": 2}
"""What a source may leave to us, and what keeps the seeds of the two cuts apart."""


def cut(
    splits: dict[str, Split],
    shares: Splits,
    seed: int,
    source: str,
    labels: Array | None = None,
) -> dict[str, Split]:
    """Adds the missing splits, each taken from the training examples.

    Args:
        splits: `train`, and the splits that the source declares; examples of one key stay in one split.
        shares: of the training examples.
        seed: of the selection.
        source: for errors.
        labels: class of each training example, to take the same share of every class; None for any selection.

    Raises:
        StageError: one side would be empty, or nothing is to be cut although `shares` says how.
    """
    if splits.keys() >= SHARES.keys() and (shares.by is not None or shares.key is not None):
        key = f"data.splits.{'by' if shares.by else 'key'}"
        raise StageError(
            f"{key} says how examples are set aside, but {source} has a validation and a test split of its own.",
            f"Remove {key}.",
            code="meaningless_key",
        )
    if shares.by == "hash":
        return _cut_by_hash(splits, shares, seed, source)
    groups = splits["train"].keys
    result = dict(splits)
    available = len(splits["train"])
    rest = splits["train"]
    for name, offset in SHARES.items():
        if name in result:
            continue
        count = round(getattr(shares, name) * available)
        if not 0 < count < len(rest):
            share = f"{getattr(shares, name):.0%}"
            raise StageError(
                f"{source} has {available} training examples: {share} of them for {name} leaves one side empty.",
                f"Provide more examples, or a different share in data.splits.{name}.",
                code="data_missing",
            )
        own_seed = seed * len(SHARES) + offset
        if groups is not None:
            held = held_out_groups(groups, count, own_seed)
            if not 0 < held.size < len(rest):
                raise StageError(
                    f"{source} has too few groups to set one aside for {name}: {', '.join(np.unique(groups))}.",
                    "Provide examples of more groups (speakers), or let examples of one group be in several splits.",
                    code="data_missing",
                )
        else:
            held = held_out(len(rest), count, own_seed, labels)
            if not held.size:
                raise StageError(
                    f"{source} has too few examples in each class to set {count} of {available} aside for {name}.",
                    "Provide more examples of each class.",
                    code="data_missing",
                )
        kept = np.setdiff1d(np.arange(len(rest)), held, assume_unique=True)
        result[name] = rest.select(held)
        rest = rest.select(kept)
        labels = None if labels is None else labels[kept]
        groups = None if groups is None else groups[kept]
    result["train"] = rest
    return result


def _cut_by_hash(splits: dict[str, Split], shares: Splits, seed: int, source: str) -> dict[str, Split]:
    """The splits, cut where the hash of a key says: test has the lowest values, then comes validation."""
    train = splits["train"]
    if train.keys is None:
        raise StageError(
            f"data.splits.by: hash needs a key for each example, which those of {source} do not have.",
            "Remove by: hash.",
            code="meaningless_key",
        )
    result, begin = dict(splits), 0.0
    for name in SHARES:
        end = begin + getattr(shares, name)
        if name not in result:
            result[name] = train.select(positions_by_hash(train.keys, seed, begin, end))
            begin = end
    result["train"] = train.select(positions_by_hash(train.keys, seed, begin, 1.0))
    empty = [name for name, split in result.items() if not len(split)]
    if empty:
        raise StageError(
            f"{source} has {len(np.unique(train.keys))} keys for {len(train)} training examples, and by their hashes "
            f"none is of the {empty[0]} split.",
            "Choose a data.splits.key with more values, larger shares, another data.seed, or leave by: hash out.",
            code="data_missing",
        )
    return result
