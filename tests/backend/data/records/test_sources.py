"""TFRecord shards, Parquet, Arrow and folders of Hugging Face: the data that a folder of the same images gives."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.large_data import jpegs, parquet, png, tfrecords
from tfopt.backend.data.load import Data, load
from tfopt.core.config.data import DataConfig
from tfopt.errors import StageError, TfoptError

IMAGES = {"image": {}, "label": {"role": "target"}}


def loaded(source: Path, features: Any = IMAGES, **keys: Any) -> Data:
    return load(DataConfig(source=str(source), features=features, **keys), Path(), keys.pop("folder", None))


@pytest.mark.tf
def test_the_same_images_give_the_same_data(tmp_path: Path) -> None:
    examples = jpegs(tmp_path / "images")
    expected = load(DataConfig(source=str(tmp_path / "images"))).fingerprint
    shards = tfrecords(tmp_path / "shards", examples)
    for cache in ("memory", "disk", "none"):
        assert loaded(shards, cache=cache).fingerprint == expected
    assert loaded(shards / "data-*.tfrecord").fingerprint == expected
    first, second, third = sorted(shards.iterdir())
    content = first.read_bytes()
    first.write_bytes(gzip.compress(content[:200]) + gzip.compress(content[200:]))  # as `cat a.gz b.gz` does
    second.write_bytes(zlib.compress(second.read_bytes()))
    assert loaded(shards, cache="none").fingerprint == expected
    kept = tmp_path / "kept"
    for _ in range(2):
        config = DataConfig(source=str(shards), features=IMAGES)
        assert load(config, Path(), kept).fingerprint == expected
    assert len(list(kept.rglob("records.tfrecord"))) == 2
    pytest.importorskip("pyarrow")
    table = parquet(tmp_path / "table" / "x.parquet", examples, group=2)
    for cache in ("memory", "disk", "none"):
        data = loaded(table, cache=cache)
        assert data.fingerprint == expected


@pytest.mark.tf
def test_what_is_wrong_with_shards_is_said(tmp_path: Path) -> None:
    shards = tfrecords(tmp_path / "shards", jpegs(tmp_path / "images"))
    with pytest.raises(StageError, match=r"image \(image\), label \(text\): data\.features says") as caught:
        loaded(shards, None)
    assert caught.value.hint == (
        "Write data: {features: {image: {size: [height, width]}, label: {role: target}}, ...}."
    )
    with pytest.raises(StageError, match=r"has no feature 'picture'; it has image, label"):
        loaded(shards, {"picture": {}, "label": {"role": "target"}})
    last = sorted(shards.iterdir())[-1]
    content = last.read_bytes()
    last.write_bytes(content[:-100])
    for keys in ({}, {"on_bad_example": "skip"}):
        with pytest.raises(StageError, match=r"00002-of-00003\.tfrecord is truncated: record 7 would end at byte"):
            loaded(shards, **keys)
    damaged = bytearray(content)
    damaged[200] ^= 1
    last.write_bytes(bytes(damaged))
    with pytest.raises(StageError, match=r"Record 0 of 8 in .* is damaged"):
        loaded(shards)
    last.write_bytes(content[:8] + b"1234" + content[12:])
    with pytest.raises(StageError, match="is no TFRecord file"):
        loaded(shards)
    last.write_bytes(gzip.compress(content)[:-20])
    with pytest.raises(StageError, match=r"00002-of-00003\.tfrecord is truncated: its compressed content goes on"):
        loaded(shards)
    squeezed = bytearray(zlib.compress(content))
    squeezed[len(squeezed) // 2] ^= 255
    last.write_bytes(bytes(squeezed))
    with pytest.raises(StageError, match=r"00002-of-00003\.tfrecord is damaged: before byte"):
        loaded(shards)
    last.write_bytes(gzip.compress(content[:-100]))  # what was compressed is truncated
    with pytest.raises(StageError, match=r"00002-of-00003\.tfrecord is truncated: record 7 would end at byte"):
        loaded(shards)


@pytest.mark.tf
def test_numbers_in_records(tmp_path: Path) -> None:
    import tensorflow as tf

    for split, count in (("train", 12), ("validation", 3), ("test", 4)):
        with tf.io.TFRecordWriter(str(tmp_path / f"{split}.tfrecord")) as writer:
            for number in range(count):
                features = {
                    "values": tf.train.Feature(float_list=tf.train.FloatList(value=np.arange(6) + number)),
                    "raw": tf.train.Feature(bytes_list=tf.train.BytesList(value=[bytes(range(4))])),
                    "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[number % 3])),
                }
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())
    features = {"values": {"shape": [2, 3]}, "raw": {"kind": "uint8", "shape": [2, 2]}, "label": {"role": "target"}}
    data = loaded(tmp_path, features)
    assert (len(data.train), len(data.validation), len(data.test), data.num_classes) == (12, 3, 4, 3)
    assert data.input_shape == {"values": (2, 3), "raw": (2, 2)}
    assert isinstance(data.train.inputs, dict)
    np.testing.assert_array_equal(data.train.inputs["values"][4], np.arange(6).reshape(2, 3) + 4)
    with pytest.raises(StageError, match="has 6 values, but 5 are expected"):
        loaded(tmp_path, {**features, "values": {"shape": [5]}})


@pytest.mark.tf
def test_a_folder_that_tensorflow_datasets_has_prepared(tmp_path: Path) -> None:
    """Its layout, as tensorflow_datasets 4 writes it; the package itself is not needed."""
    import tensorflow as tf

    folder = tmp_path / "mnist" / "3.0.1"
    folder.mkdir(parents=True)
    for split, count in (("train", 10), ("test", 4)):
        for shard in range(2):
            name = f"mnist-{split}.tfrecord-{shard:05d}-of-00002"
            with tf.io.TFRecordWriter(str(folder / name)) as writer:
                for number in range(count // 2):
                    features = {
                        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[png(20 * number)])),
                        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[number % 2])),
                    }
                    writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    (folder / "label.labels.txt").write_text("zero\none\n", encoding="utf-8")
    for name in ("dataset_info.json", "features.json"):
        (folder / name).write_text("{}", encoding="utf-8")
    data = loaded(folder, {"image": {"channels": 1}, "label": {"role": "target"}})
    assert (len(data.train), len(data.validation), len(data.test)) == (9, 1, 4)
    assert (data.label_names, data.num_classes, data.input_shape) == (("zero", "one"), 2, (4, 4, 1))


def test_a_folder_of_hugging_face(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    for split, count in (("train", 10), ("test", 4)):
        folder = tmp_path / split
        folder.mkdir()
        images = [{"bytes": png(20 * number), "path": None} for number in range(count)]
        table = pa.table({"img": images, "label": [number % 2 for number in range(count)]})
        with (
            pa.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as sink,
            pa.ipc.new_stream(sink, table.schema) as stream,
        ):
            stream.write_table(table, max_chunksize=3)
        about = {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}
        (folder / "dataset_info.json").write_text(json.dumps(about), encoding="utf-8")
    data = loaded(tmp_path, {"img": {"channels": 1}, "label": {"role": "target"}}, cache="none")
    assert (len(data.train), len(data.validation), len(data.test)) == (9, 1, 4)
    assert (data.label_names, data.input_shape) == (("cat", "dog"), (4, 4, 1))
    assert [round(float(value) * 255) for value in np.asarray(data.test.inputs)[:, 0, 0, 0]] == [0, 20, 40, 60]


def test_columns_of_numbers_and_what_is_wrong_with_tables(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    rows = 200
    table = pa.table(
        {
            "x": [[float(number), 1.0, 2.0] for number in range(rows)],
            "age": [float(number) for number in range(rows)],
            "y": [number % 2 == 0 for number in range(rows)],
        }
    )
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=10)
    features = {"x": {}, "age": {}, "y": {"role": "target"}}
    data = loaded(tmp_path / "x.parquet", features, cache="none")
    assert data.num_classes == 2
    assert data.input_shape == {"x": (3,), "age": ()}
    empty = pa.table({"x": [[1.0], None], "y": [1, 2]})
    pq.write_table(empty, tmp_path / "empty.parquet")
    with pytest.raises(StageError, match=r"1 of 2 examples cannot be read: x of row 1 of .*empty\.parquet is empty"):
        loaded(tmp_path / "empty.parquet", {"x": {}, "y": {"role": "target"}})
    (tmp_path / "x.parquet").write_bytes((tmp_path / "x.parquet").read_bytes()[:-50])
    with pytest.raises(StageError, match=r"x\.parquet cannot be read"):
        loaded(tmp_path / "x.parquet", features)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"image": {}}, "features has no target"),
        ({"label": {"role": "target"}}, "features has no input"),
        ({"image": {"kind": "text", "shape": [3]}, "label": {"role": "target"}}, "shape is of numbers"),
        ({**IMAGES, "a": {"role": "weight"}, "b": {"role": "weight"}}, "several weights"),
        ({**IMAGES, "a": {"role": "weight"}, "b": {"role": "weight", "output": "y"}}, "several weights"),
        ({**IMAGES, "a": {"output": "y"}}, "output is of a weight"),
    ],
)
def test_features_are_checked_in_the_recipe(features: Any, message: str) -> None:
    with pytest.raises((TfoptError, ValueError), match=message):
        DataConfig(source="x.tfrecord", features=features)


def test_weights_and_keys_are_columns(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    rows = range(60)
    columns = {
        "x": [float(row) for row in rows],
        "kind": [row % 2 for row in rows],
        "size": [row / 7 for row in rows],
        "sure": [row / 10 for row in rows],
        "person": [f"p{row % 12}" for row in rows],
    }
    source = tmp_path / "x.parquet"
    pq.write_table(pa.table(columns), source, row_group_size=20)
    targets = {"x": {}, "kind": {"role": "target"}, "size": {"role": "target"}}
    data = loaded(
        source, {**targets, "sure": {"role": "weight", "output": "kind"}}, cache="none", splits={"key": "person"}
    )
    assert data.input_shape == ()
    people = []
    for split in (data.train, data.validation, data.test):
        values = np.asarray(split.inputs)
        assert isinstance(split.weights, dict)
        np.testing.assert_allclose(split.weights["kind"], values / 10, rtol=1e-6)
        assert (split.weights["size"] == 1).all()
        people.append(set(values.astype(int) % 12))
    assert sum(map(len, people)) == 12
    with pytest.raises(StageError, match=r"name the output 'knd', which has no targets\. Did you mean 'kind'"):
        loaded(source, {**targets, "sure": {"role": "weight", "output": "knd"}})
    with pytest.raises(StageError, match=r"says what examples belong to \(data\.splits\.key\)"):
        loaded(source, targets, splits={"key": "sure"})


def test_features_need_records(tmp_path: Path) -> None:
    jpegs(tmp_path / "images", 4)
    with pytest.raises(StageError, match=r"data\.features is for TFRecord, Parquet and Arrow"):
        loaded(tmp_path / "images")


def test_splits_are_named_by_all_files_or_none(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    for name in ("train-0.parquet", "more.parquet"):
        parquet(tmp_path / name, [("a", png(1))])
    with pytest.raises(StageError, match=r"more\.parquet does not"):
        loaded(tmp_path)
