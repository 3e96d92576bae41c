"""TFRecord shards of `tf.train.Example` as a data source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tfopt.backend.data.arrays.decoded import identity_of_files
from tfopt.backend.data.prepared import Prepared, RawExamples
from tfopt.backend.data.records.columns import Column, array_of, check_names, examples_of, keys_of
from tfopt.backend.data.records.shards import is_tfrecord, shards_of
from tfopt.backend.data.records.tfrecords import Records
from tfopt.backend.types import Array
from tfopt.core.config.features import Feature
from tfopt.errors import StageError


def load_tfrecords(path: Path, features: Mapping[str, Feature] | None, key: str | None, folder: Path) -> Prepared:
    """Reads shards.

    Args:
        path: a file, a pattern of files, or a folder.
        features: which features go in, and which are targets.
        key: feature that says what each training record belongs to; None where that is not asked.
        folder: where the content of compressed shards is kept.

    Returns:
        The examples by split, in the order of the shards' names; images are decoded when they are read. Names of the
        classes where a folder of `tensorflow_datasets` has them.

    Raises:
        StageError: a shard is truncated or damaged, or features are not in the records.
    """
    splits: dict[str, RawExamples] = {}
    for name, shards in shards_of(path, is_tfrecord).items():
        records = Records(shards, folder)
        if not len(records):
            raise StageError(f"{path}, {name} split: the shards hold no records.", code="data_missing")
        chosen = check_names(features, _row(records, 0), str(shards[0]), key)
        identity = identity_of_files(shards, path.parent, "tfrecord")
        columns = {
            feature: array_of(_column(records, feature, identity), settings) for feature, settings in chosen.items()
        }
        keys = keys_of(_column(records, key, identity)) if key is not None and name == "train" else None
        splits[name] = examples_of(chosen, columns, keys)
    return Prepared(splits, label_names=_names_of_tfds(path, features or {}))


def _names_of_tfds(path: Path, features: Mapping[str, Feature]) -> tuple[str, ...] | None:
    """Names of the classes of the only target, as `tensorflow_datasets` writes them next to the shards."""
    targets = [name for name, feature in features.items() if feature.role == "target"]
    file = (path if path.is_dir() else path.parent) / f"{targets[0] if targets else ''}.labels.txt"
    if len(targets) != 1 or not file.is_file():
        return None
    return tuple(file.read_text(encoding="utf-8").splitlines())


def _column(records: Records, name: str, identity: str) -> Column:
    def value(number: int) -> bytes | Array:
        row = _row(records, number)
        if name not in row:
            raise StageError(
                f"{records.name(number)} has no feature {name!r}; it has {', '.join(row) or 'none'}.",
                "All records need the features of data.features.",
                code="invalid_data",
            )
        return row[name]

    return Column(name, value, records.name, len(records), identity, records.verify)


def _row(records: Records, number: int) -> dict[str, bytes | Array]:
    """The features of a record: bytes, or numbers (n,)."""
    from google.protobuf.message import DecodeError
    from tensorflow.core.example.example_pb2 import Example

    try:
        example = Example.FromString(records[number])
    except DecodeError as error:
        raise StageError(f"{records.name(number)} is no tf.train.Example: {error}.", code="data_unreadable") from error
    row: dict[str, bytes | Array] = {}
    for name, feature in sorted(example.features.feature.items()):
        kind = feature.WhichOneof("kind")
        if kind == "bytes_list":
            values = list(feature.bytes_list.value)
            row[name] = values[0] if len(values) == 1 else b"".join(values)
        elif kind == "float_list":
            row[name] = np.array(feature.float_list.value, np.float32)
        elif kind == "int64_list":
            row[name] = np.array(feature.int64_list.value, np.int64)
    return row
