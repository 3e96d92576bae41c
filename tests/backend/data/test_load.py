"""Splits, checks and fingerprints; no TensorFlow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tfopt.backend.data.drawing import held_out
from tfopt.backend.data.load import Data, Split, calibration_examples, class_weights, load, steps_per_epoch
from tfopt.core.config.data import DataConfig, Splits
from tfopt.errors import StageError

HERE = Path(__file__).parent


def load_arrays(folder: Path, config: dict[str, object] | None = None, **arrays: np.ndarray) -> Data:
    np.savez(folder / "arrays.npz", **arrays)
    return load(DataConfig(source="arrays.npz", **(config or {})), folder)


def rows(n: int, classes: int = 3, seed: int = 0) -> dict[str, np.ndarray]:
    return {"x": np.random.RandomState(seed).rand(n, 4), "y": np.arange(n) % classes}


def test_digits_are_scaled_and_cut_without_tensorflow() -> None:
    code = """
import sys
from tfopt.backend.data.load import load
from tfopt.core.config.data import DataConfig
data = load(DataConfig(source="digits"))
print(len(data.train), len(data.validation), len(data.test), data.input_shape, data.num_outputs, data.num_classes)
print(data.train.inputs.min(), data.train.inputs.max(), data.train.inputs.dtype, data.train.targets.dtype)
print("tensorflow" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["1258 180 359 (8, 8, 1) 10 10", "0.0 1.0 float32 int32", "False"]


def test_splits_are_disjoint_complete_seeded_and_stratified() -> None:
    data = load(DataConfig(source="digits"))
    again = load(DataConfig(source="digits"))
    other = load(DataConfig(source="digits", seed=1))
    everything = np.concatenate([split.inputs.reshape(-1, 64) for split in (data.train, data.validation, data.test)])
    from sklearn.datasets import load_digits

    original = load_digits().data.astype(np.float32) / 16
    assert sorted(map(bytes, everything)) == sorted(map(bytes, original))
    assert data.fingerprint == again.fingerprint
    assert data.fingerprint != other.fingerprint
    assert not np.array_equal(data.test.inputs, other.test.inputs)
    shares = [
        np.bincount(split.targets, minlength=10) / len(split) for split in (data.train, data.validation, data.test)
    ]
    assert np.abs(np.diff(shares, axis=0)).max() < 0.01


@pytest.mark.parametrize(
    "change",
    [{"splits": {"test": "30%"}}, {"splits": {"validation": "20%"}}, {"seed": 3}, {"targets": "inputs"}],
    ids=str,
)
def test_fingerprint_follows_splits_and_targets(tmp_path: Path, change: dict[str, object]) -> None:
    plain = load_arrays(tmp_path, **rows(60)).fingerprint
    assert load_arrays(tmp_path, change, **rows(60)).fingerprint != plain


def test_fingerprint_follows_every_value_but_not_batch_size_or_augmentation(tmp_path: Path) -> None:
    plain = load_arrays(tmp_path, **rows(60)).fingerprint
    served = load_arrays(tmp_path, {"batch_size": 7, "augment": {"flip": "both"}}, **rows(60)).fingerprint
    arrays = rows(60)
    arrays["x"][17, 2] += 1e-3
    assert served == plain
    assert load_arrays(tmp_path, **arrays).fingerprint != plain
    assert len(plain) == 64


def test_declared_splits_are_kept(tmp_path: Path) -> None:
    x, y = rows(50)["x"], rows(50)["y"]
    data = load_arrays(
        tmp_path, x_train=x, y_train=y, x_test=x[:8] + 1, y_test=y[:8], x_validation=x[:6], y_validation=y[:6]
    )
    assert (len(data.train), len(data.validation), len(data.test)) == (50, 6, 8)
    assert data.record().model_dump() == {
        "source": "arrays.npz",
        "fingerprint": data.fingerprint,
        "train": 50,
        "validation": 6,
        "test": 8,
        "most_frequent": {"": np.bincount(y[:8]).max() / 8},
    }


def test_a_poisoned_test_split_changes_nothing_else(tmp_path: Path) -> None:
    x, y = rows(80)["x"], rows(80)["y"]
    clean = load_arrays(tmp_path, x_train=x, y_train=y, x_test=x[:20], y_test=y[:20])
    poisoned = load_arrays(tmp_path, x_train=x, y_train=y, x_test=np.full((20, 4), 1e6), y_test=np.zeros(20, int))
    for name in ("train", "validation"):
        assert np.array_equal(getattr(clean, name).inputs, getattr(poisoned, name).inputs)
        assert np.array_equal(getattr(clean, name).targets, getattr(poisoned, name).targets)
    assert np.array_equal(calibration_examples(clean, 30, 5).inputs, calibration_examples(poisoned, 30, 5).inputs)
    assert calibration_examples(poisoned, 500, 5).inputs.max() < 2
    assert clean.num_classes == poisoned.num_classes
    assert clean.input_shape == poisoned.input_shape


def test_calibration_comes_from_training_and_gives_what_there_is(tmp_path: Path) -> None:
    data = load_arrays(tmp_path, **rows(60))
    train = {bytes(row) for row in data.train.inputs}
    drawn = calibration_examples(data, 10, 3)
    assert len(drawn) == 10
    assert all(bytes(row) in train for row in drawn.inputs)
    assert len(calibration_examples(data, 10_000, 3)) == len(data.train)


def test_take_is_deterministic_and_nested() -> None:
    split = Split(np.arange(50.0), np.arange(50))
    assert np.array_equal(split.take(9, 4).inputs, split.take(20, 4).inputs[:9])
    assert not np.array_equal(split.take(9, 4).inputs, split.take(9, 5).inputs)
    assert np.array_equal(split.take(9, 4).inputs, split.take(9, 4).targets)


def test_many_inputs_by_name() -> None:
    inputs = {"image": np.zeros((10, 4, 4, 1), np.float32), "size": np.arange(10, dtype=np.float32)[:, np.newaxis]}
    split = Split(inputs, np.arange(10) % 2)
    data = Data(split, split, split, source="x", num_classes=2)
    assert data.input_shape == {"image": (4, 4, 1), "size": (1,)}
    assert len(split) == 10
    assert list(split.take(3, 0).inputs["size"][:, 0] % 2) == list(split.take(3, 0).targets)


def test_inputs_as_targets(tmp_path: Path) -> None:
    data = load_arrays(tmp_path, {"targets": "inputs"}, x=rows(40)["x"])
    assert data.train.targets is data.train.inputs
    assert data.train.take(5, 0).targets is not data.train.inputs
    assert data.num_outputs == 4
    assert data.num_classes is None


def test_targets_are_tidied(tmp_path: Path) -> None:
    x = rows(40)["x"]
    column = load_arrays(tmp_path, x=x, y=(np.arange(40) % 4)[:, np.newaxis])
    assert column.train.targets.ndim == 1
    quantity = load_arrays(tmp_path, x=x, y=np.linspace(0, 1, 40))
    assert quantity.train.targets.shape[1:] == (1,)
    assert (quantity.num_outputs, quantity.num_classes) == (1, None)
    words = load_arrays(tmp_path, x=x, y=np.array(["dog", "ant", "cat", "bee"] * 10))
    assert words.class_names == ("ant", "bee", "cat", "dog")
    assert sorted(set(words.train.targets.tolist())) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ({"x": np.zeros((0, 4)), "y": np.zeros(0, int)}, "there are no examples"),
        ({"x": np.zeros((9, 4)), "y": np.zeros(8, int)}, "targets has 8 examples, but there are 9"),
        (
            {"x": np.full((9, 4), np.nan), "y": np.zeros(9, int)},
            "36 values NaN or infinite, in 9 of 9 examples, first in",
        ),
        ({"x": np.zeros((9, 4)), "y": np.full(9, np.inf)}, "targets: 9 values NaN or infinite, in 9 of 9 examples"),
        ({"x": np.zeros((9, 4)), "y": np.arange(9) - 1}, "smallest label is -1"),
        (
            {
                "x_train": np.zeros((9, 4)),
                "y_train": np.arange(9),
                "x_test": np.zeros((1, 4)),
                "y_test": np.array([12]),
            },
            "test split: the largest label is 12, but those of training go from 0 to 8",
        ),
        (
            {"x_train": np.zeros((9, 4)), "y_train": np.arange(9), "x_test": np.zeros((1, 5)), "y_test": np.array([0])},
            r"test split: inputs has examples of shape \(5,\), those of training \(4,\)",
        ),
        ({"x": np.zeros((9, 4))}, "there are no targets.*data.targets: inputs"),
        ({"x": np.zeros((9, 4)), "y": np.full(9, 2**40)}, "does not fit 32 bits"),
        ({"x": np.array(["a"] * 9), "y": np.zeros(9, int)}, "inputs has dtype <U1"),
        ({"x": np.zeros((2, 4)), "y": np.zeros(2, int)}, "leaves one side empty"),
        ({"x": np.zeros((9, 4)), "y": np.arange(9)}, "too few examples in each class"),
        (
            {
                "x_train": np.zeros((4, 1)),
                "y_train": np.array(["a", "b"] * 2),
                "x_test": np.zeros((1, 1)),
                "y_test": np.array(["c"]),
            },
            "the class 'c' does not occur in training",
        ),
    ],
)
def test_unusable_data_is_refused_with_numbers(tmp_path: Path, arrays: dict[str, np.ndarray], match: str) -> None:
    with pytest.raises(StageError, match=match):
        load_arrays(tmp_path, {"splits": {"validation": "20%"}}, **arrays)


def test_held_out_leaves_every_class_in_training() -> None:
    labels = np.array([0] * 50 + [1] * 3 + [2])
    held = held_out(54, 27, 0, labels)
    assert len(held) in (26, 27)
    assert set(np.delete(labels, held)) == {0, 1, 2}


def test_splits_defaults_are_what_the_fingerprint_pins() -> None:
    # A changed default would silently change every stored key.
    assert Splits() == Splits(validation=0.1, test=0.2)
    assert (
        load(DataConfig(source="digits")).fingerprint
        == "3257e71bf24d45865783c40fdf69ea80b1e78e463f64e6df1a6608063b0f9c00"
    )


@pytest.mark.parametrize(("n", "batch_size", "steps"), [(64, 64, 1), (65, 64, 2), (1, 64, 1), (128, 64, 2)])
def test_steps_per_epoch_counts_the_partial_batch(n: int, batch_size: int, steps: int) -> None:
    assert steps_per_epoch(n, batch_size) == steps


def test_class_weights() -> None:
    labels = np.array([0] * 6 + [1] * 2 + [3] * 4, np.int32)
    balanced = class_weights(labels, "balanced")
    assert balanced == pytest.approx({0: 12 / 18, 1: 2.0, 2: 1.0, 3: 1.0})
    assert class_weights(np.eye(4)[labels], "balanced") == pytest.approx(balanced)
    many = np.random.default_rng(0).geometric(0.2, 10_007)
    counts = np.bincount(many)
    # To the last bit: weights of classes are part of a run's metrics.
    assert class_weights(many, "balanced") == {
        k: len(many) / (int(np.count_nonzero(counts)) * int(count)) if count else 1.0 for k, count in enumerate(counts)
    }
    assert class_weights(labels, {1: 5}) == {0: 1.0, 1: 5.0, 2: 1.0, 3: 1.0}
    assert class_weights(labels, None) is None
    with pytest.raises(StageError, match="names class 7, but the labels go from 0 to 3"):
        class_weights(labels, {7: 2.0})
    with pytest.raises(StageError, match="quantities"):
        class_weights(np.zeros((5, 1), np.float32), "balanced")
    with pytest.raises(StageError, match="one class per example"):
        class_weights(np.zeros((5, 3, 2), np.float32), "balanced")


def test_class_weights_of_maps_count_pixels() -> None:
    maps = np.array([[[0, 0], [0, 1]], [[-1, 0], [1, 255]]], np.int32)
    expected = {0: 6 / (2 * 4), 1: 6 / (2 * 2)}
    assert class_weights(maps, "balanced", ignored=255) == pytest.approx(expected)
    assert class_weights(maps, {1: 3.0}, ignored=255) == {0: 1.0, 1: 3.0}
    assert class_weights(np.eye(2)[maps.clip(0, 1)], "balanced") == pytest.approx({0: 8 / 10, 1: 8 / 6})
