"""What examples belong to, so that whole groups, or the same examples of a larger data set, land in the same split."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from tfopt.backend.data.arrays.decoded import DecodedRows
from tfopt.backend.data.arrays.reading import in_memory, named, parts
from tfopt.backend.data.arrays.views import ChangedRows
from tfopt.backend.data.splits import Split
from tfopt.backend.types import Array, ExampleArray
from tfopt.catalog import references
from tfopt.core.config.data import Splits
from tfopt.core.language.references import is_reference
from tfopt.core.language.wording import counted
from tfopt.errors import StageError

_DIGITS = 13
"""Hexadecimal digits of a hash that become a number in [0, 1): 52 bits, as many as float64 has."""


def with_keys_of_files(split: Split, shares: Splits, root: Path, what: str) -> Split:
    """A split of files with their keys, where `data.splits` needs them: a part of their names, or these.

    Args:
        split: not read yet.
        shares: the recipe's `data.splits`.
        root: what the names of files are relative to.
        what: source and split, for errors.

    Raises:
        StageError: `key` is no regular expression, or does not match a name; or there are keys already, but not as many
            as examples.
    """
    if split.keys is not None and len(split.keys) != len(split):
        raise StageError(
            f"{what}: there are {counted(len(split.keys), 'key')} for {counted(len(split), 'example')}.",
            "Give one for each training example.",
            code="invalid_data",
        )
    if split.keys is not None or (shares.key is None and shares.by is None):
        return split
    files = next((found for array in named(split.inputs).values() if (found := _files(array)) is not None), None)
    if files is None or (shares.key is not None and is_reference(shares.key)):
        return split
    names = [Path(os.path.relpath(file, root)).as_posix() for file in files]
    return replace(split, keys=np.array(keys_of_names(names, shares.key)))


def keys_of_names(names: Sequence[str], pattern: str | None) -> list[str]:
    """The first group of a regular expression in each name; the names themselves without one.

    Raises:
        StageError: it is no regular expression, has no group, or does not match a name.
    """
    if pattern is None:
        return list(names)
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise StageError(
            f"data.splits.key is no regular expression: {error}. Got {pattern!r}.",
            "Of files it is one, whose first group is what belongs together, such as '(speaker[0-9]+)'.",
            code="invalid_argument",
        ) from error
    if not compiled.groups:
        raise StageError(
            f"data.splits.key has no group, which is what is taken of a file's name. Got {pattern!r}.",
            "Put it in parentheses, such as '(speaker[0-9]+)_'.",
            code="invalid_argument",
        )
    found = [match.group(1) if (match := compiled.search(name)) else None for name in names]
    without = [name for name, key in zip(names, found, strict=True) if not key]
    if without:
        raise StageError(
            f"data.splits.key, {pattern!r}, does not match {counted(len(without), 'name')} of {len(names)}, first "
            f"{without[0]!r}.",
            "Change the expression, or rename these files.",
            code="invalid_data",
        )
    return [key or "" for key in found]


def with_keys(split: Split, shares: Splits, folder: Path, source: str) -> Split:
    """A split with the keys that `data.splits` needs.

    Args:
        split: what is to be cut; with the keys of its source, or of its files, where these have some.
        shares: the recipe's `data.splits`.
        folder: of the recipe, where modules are found.
        source: for errors.

    Raises:
        StageError: `key` names what the source does not have, or a function that fails.
    """
    if split.keys is not None or (shares.key is None and shares.by is None):
        return split
    if shares.key is None:
        return replace(split, keys=_contents(split))
    if not is_reference(shares.key):
        raise StageError(
            f"data.splits.key names {shares.key!r}, which cannot be looked up in {source}.",
            "Name a function of yours, package.module:function, that is given inputs and targets and returns what each "
            "example belongs to; or leave key out: examples with the same content stay together.",
            code="meaningless_key",
        )
    function = references.function(shares.key, folder)
    given = references.call_with(function, shares.key, (split.inputs, split.targets), folder)
    keys = np.asarray(given)
    if keys.shape != (len(split),) or keys.dtype.kind not in "OSUbiu":
        raise StageError(
            f"{shares.key} returned {type(given).__name__} of shape {keys.shape} and type {keys.dtype}.",
            f"Expected a text or whole number for each of {len(split)} examples.",
            code="user_code_failed",
        )
    return replace(split, keys=keys.astype(str))


def keys_of_column(values: ExampleArray, what: str) -> Array:
    """Texts or whole numbers, (n,), as keys.

    Raises:
        StageError: they are something else.
    """
    keys = in_memory(values, what)
    if keys.ndim != 1 or keys.dtype.kind not in "SUbiu":
        raise StageError(
            f"{what} has shape {keys.shape} and type {keys.dtype}, but says what examples belong to (data.splits.key).",
            "Expected a text or whole number for each example.",
            code="invalid_data",
        )
    return keys.astype(str)


def positions_by_hash(keys: Array, seed: int, begin: float, end: float) -> Array:
    """Positions of the examples whose key has a hash in a range, sorted.

    The hash of a key is a number in [0, 1), equally likely everywhere, that depends on nothing else: an example stays
    in its split however many others come or go.

    Args:
        keys: (n,) text.
        seed: another one gives other numbers.
        begin: of the range.
        end: of the range, which does not belong to it.
    """
    names, where = np.unique(keys, return_inverse=True)
    values = np.array([_hash(f"{seed}\n{name}") for name in names])
    return np.flatnonzero(((values >= begin) & (values < end))[where])


def _hash(text: str) -> float:
    return int(sha256(text.encode()).hexdigest()[:_DIGITS], 16) / 16**_DIGITS


def _contents(split: Split) -> Array:
    """A hash of the inputs of each example."""
    digests = [sha256() for _ in range(len(split))]
    for name, array in sorted(named(split.inputs).items()):
        done = 0
        for part in parts(array):
            for position, row in enumerate(part):
                digests[done + position].update(f"{name} {row.dtype.str} {row.shape}".encode())
                digests[done + position].update(np.ascontiguousarray(row).tobytes())
            done += len(part)
    return np.array([digest.hexdigest() for digest in digests])


def _files(array: ExampleArray) -> Sequence[Path] | None:
    """The files that rows are decoded from; None for other arrays."""
    if isinstance(array, ChangedRows):
        return _files(array.array)
    if not isinstance(array, DecodedRows) or not all(isinstance(item, Path) for item in array.items):
        return None
    files: Sequence[Path] = array.items
    return files
