"""tf.data as a data source."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest

from tfopt.backend.data.load import load
from tfopt.core.config.data import DataConfig
from tfopt.errors import StageError

pytestmark = pytest.mark.tf

MODULE = """
import numpy as np
import tensorflow as tf

x, y = np.arange(160, dtype="float32").reshape(40, 4), np.arange(40) % 2
both = tf.data.Dataset.from_tensor_slices((x, y))

def single(): return both
def batched(): return both.batch(7)
def even(): return both.batch(8, drop_remainder=True)
def generated(): return tf.data.Dataset.from_generator(lambda: zip(x, y), output_signature=both.element_spec)
def pair(): return both, both.take(6)
def named(): return {"train": both.map(lambda a, b: ({"left": a, "right": a}, b)).batch(9)}
def in_order(): return both.map(lambda a, b: ((a, a[:1]), b))
def in_order_batched(): return in_order().batch(9)
def one_hot(): return both.map(lambda a, b: (a, tf.one_hot(b, 2)))

def weighted(): return both.map(lambda a, b: (a, b, a[0]))
def wide(): return both.map(lambda a, b: (tf.repeat(a, 9), b))
def endless(): return both.repeat()
def four(): return both.map(lambda a, b: (a, b, 1.0, 2.0))
def nothing(): return both.take(0)
def unclear(): return tf.data.Dataset.from_tensor_slices((x, x))
def ragged(): return tf.data.Dataset.from_tensor_slices((tf.ragged.constant([[1.], [1., 2.]]), [0, 1]))
def uneven():
    spec = tf.TensorSpec([None], tf.float32), tf.TensorSpec([], tf.int64)
    return tf.data.Dataset.from_generator(lambda: (([1.0] * k, 0) for k in (1, 2)), output_signature=spec)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("module")
    (path / "tensor_datasets.py").write_text(textwrap.dedent(MODULE), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["single", "batched", "even", "generated", "one_hot"])
def test_batched_or_not_is_found_out(folder: Path, name: str) -> None:
    data = load(DataConfig(source=f"tensor_datasets:{name}"), folder)
    assert sorted(np.concatenate([s.inputs for s in (data.train, data.validation, data.test)])[:, 0]) == list(
        range(0, 160, 4)
    )
    assert data.num_outputs == 2


@pytest.mark.parametrize("name", ["in_order", "in_order_batched"])
def test_inputs_in_order(folder: Path, name: str) -> None:
    data = load(DataConfig(source=f"tensor_datasets:{name}"), folder)
    assert data.positional
    assert data.input_shape == {"input_1": (4,), "input_2": (1,)}


def test_several_datasets(folder: Path) -> None:
    assert len(load(DataConfig(source="tensor_datasets:pair"), folder).test) == 6
    named = load(DataConfig(source="tensor_datasets:named"), folder)
    assert named.input_shape == {"left": (4,), "right": (4,)}
    assert np.array_equal(named.test.inputs["left"], named.test.inputs["right"])


def test_the_third_part_are_sample_weights(folder: Path) -> None:
    train = load(DataConfig(source="tensor_datasets:weighted"), folder).train
    assert np.array_equal(train.weights, np.asarray(train.inputs)[:, 0])


def test_a_stream_is_written_out_where_it_is_not_to_be_in_memory(folder: Path, tmp_path: Path) -> None:
    data = load(DataConfig(source="tensor_datasets:wide", cache="none"), folder, tmp_path)
    assert data.cache is not None
    assert (data.cache.kind, data.cache.reason) == ("disk", "a tf.data.Dataset cannot be read at any position")


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("endless", r"never ends. Take out .repeat\(\)"),
        ("four", "of 4 parts"),
        ("nothing", "empty tf.data.Dataset"),
        ("unclear", r"all have the shape \(4,\): batched or not"),
        ("ragged", "ragged, sparse or shapeless"),
        ("uneven", "examples of different shapes"),
    ],
)
def test_what_cannot_be_read_is_refused(folder: Path, name: str, match: str) -> None:
    with pytest.raises(StageError, match=match):
        load(DataConfig(source=f"tensor_datasets:{name}"), folder)
