"""Batches: what the optimizer sees, in which order, and how it is augmented."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tfopt.backend.data.arrays.order import shuffled
from tfopt.backend.data.arrays.stored import StoredRows, save_rows
from tfopt.backend.data.arrays.tensors import readable_errors
from tfopt.backend.data.arrays.views import LazyArray
from tfopt.backend.data.batches import evaluation_batches, one_hot_depth, training_batches
from tfopt.backend.data.images.augment import _beta
from tfopt.backend.data.splits import Data, Split
from tfopt.core.config.data import Augment
from tfopt.errors import StageError

pytestmark = pytest.mark.tf


def numbered(n: int = 21) -> Data:
    """Examples that say which one they are."""
    split = Split(np.arange(n, dtype=np.float32)[:, np.newaxis], np.arange(n, dtype=np.int32))
    other = Split(np.full((5, 1), -1, np.float32), np.zeros(5, np.int32))
    return Data(split, other, other, source="numbered", num_classes=n)


def pictures(n: int = 40, shape: tuple[int, ...] = (6, 6, 2), classes: int = 4) -> Data:
    inputs = np.random.RandomState(0).uniform(0.5, 1, (n, *shape)).astype(np.float32)
    split = Split(inputs, np.arange(n, dtype=np.int32) % classes)
    return Data(split, split, split, source="pictures", num_classes=classes)


def order(dataset: tf.data.Dataset) -> list[list[int]]:
    return [targets.tolist() for _, targets in dataset.as_numpy_iterator()]


def test_every_epoch_is_a_new_permutation_with_its_partial_batch() -> None:
    seen = order(training_batches(numbered(), 8, 3, seed=1))
    assert [len(batch) for batch in seen] == [8, 8, 5] * 3
    epochs = [list(chain(*seen[k : k + 3])) for k in (0, 3, 6)]
    assert all(sorted(epoch) == list(range(21)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_inputs_stay_with_their_targets() -> None:
    for inputs, targets in training_batches(numbered(), 4, 2, seed=1).as_numpy_iterator():
        assert np.array_equal(inputs[:, 0], targets)


def test_seed_decides() -> None:
    assert order(training_batches(numbered(), 8, 2, seed=1)) == order(training_batches(numbered(), 8, 2, seed=1))
    assert order(training_batches(numbered(), 8, 2, seed=1)) != order(training_batches(numbered(), 8, 2, seed=2))


@pytest.mark.parametrize(
    "augment", [None, Augment(flip="both", shift="20%", crop=1, mixup=0.4)], ids=["plain", "augmented"]
)
def test_a_resumed_run_sees_what_the_uninterrupted_one_would_have(augment: Augment | None) -> None:
    data = pictures()
    whole = list(training_batches(data, 16, 4, seed=3, augment=augment).as_numpy_iterator())
    rest = list(training_batches(data, 16, 4, seed=3, augment=augment, first_epoch=2).as_numpy_iterator())
    assert (len(whole), len(rest)) == (12, 6)
    for (inputs, targets), (inputs_again, targets_again) in zip(whole[6:], rest, strict=True):
        assert np.array_equal(inputs, inputs_again)
        assert np.array_equal(targets, targets_again)


def test_one_dataset_of_known_length_covers_all_epochs() -> None:
    assert training_batches(numbered(), 8, 5, seed=0, first_epoch=2).cardinality() == 9
    assert evaluation_batches(numbered().train, 8).cardinality() == 3


def test_batch_size_changes_neither_order_nor_augmentation() -> None:
    data, augment = pictures(), Augment(flip="horizontal", shift="30%")
    ones = np.concatenate([x for x, _ in training_batches(data, 3, 2, 5, augment=augment).as_numpy_iterator()])
    tens = np.concatenate([x for x, _ in training_batches(data, 40, 2, 5, augment=augment).as_numpy_iterator()])
    assert np.array_equal(ones, tens)


def test_evaluation_keeps_the_order() -> None:
    split = numbered().train
    assert list(chain(*order(evaluation_batches(split, 8)))) == list(range(21))
    assert next(evaluation_batches(split, 8, one_hot=21).as_numpy_iterator())[1].shape == (8, 21)


def test_only_the_training_split_is_read() -> None:
    seen = np.concatenate([inputs for inputs, _ in training_batches(numbered(), 8, 3, seed=1).as_numpy_iterator()])
    assert seen.min() >= 0


def test_many_inputs() -> None:
    inputs = {"a": np.arange(10, dtype=np.float32), "b": np.arange(20, dtype=np.int32).reshape(10, 2)}
    split = Split(inputs, np.arange(10, dtype=np.int32))
    data = Data(split, split, split, source="many", num_classes=10)
    for batch, targets in training_batches(data, 4, 1, seed=0).as_numpy_iterator():
        assert np.array_equal(batch["a"], targets)
        assert np.array_equal(batch["b"][:, 0], targets * 2)


def test_autoencoder_targets_are_the_inputs_as_augmented() -> None:
    split = Split(pictures().train.inputs, pictures().train.inputs)
    split = Split(split.inputs, split.inputs)
    data = Data(split, split, split, source="auto")
    for augment in (None, Augment(flip="both", crop=2, mixup=0.3)):
        for inputs, targets in training_batches(data, 7, 1, seed=0, augment=augment).as_numpy_iterator():
            assert np.array_equal(inputs, targets)


# Augmentation


def changed(data: Data, augment: Augment, epochs: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Originals, augmented images and targets, example by example."""
    plain = training_batches(data, 16, epochs, seed=2)
    new = training_batches(data, 16, epochs, seed=2, augment=augment)
    originals = np.concatenate([inputs for inputs, _ in plain.as_numpy_iterator()])
    batches = list(new.as_numpy_iterator())
    return originals, np.concatenate([b[0] for b in batches]), np.concatenate([b[1] for b in batches])


@pytest.mark.parametrize(
    ("flip", "axes"), [("horizontal", [(), (1,)]), ("vertical", [(), (0,)]), ("both", [(), (0,), (1,), (0, 1)])]
)
def test_flip(flip: str, axes: list[tuple[int, ...]]) -> None:
    originals, images, _ = changed(pictures(200), Augment(flip=flip))
    counts = [sum(np.array_equal(np.flip(o, axis), i) for o, i in zip(originals, images, strict=True)) for axis in axes]
    assert sum(counts) == 200
    assert min(counts) > 200 / len(axes) / 2


@pytest.mark.parametrize(("augment", "reach"), [(Augment(shift="34%"), 2), (Augment(crop=1), 1)], ids=["shift", "crop"])
def test_shift_and_crop_move_and_fill_with_zeros(augment: Augment, reach: int) -> None:
    originals, images, _ = changed(pictures(200), augment)
    found = set()
    for original, image in zip(originals, images, strict=True):
        padded = np.pad(original, [(reach, reach), (reach, reach), (0, 0)])
        places = [
            (row, column)
            for row in range(2 * reach + 1)
            for column in range(2 * reach + 1)
            if np.array_equal(padded[row : row + 6, column : column + 6], image)
        ]
        assert len(places) == 1
        found.update(places)
    assert len(found) == (2 * reach + 1) ** 2


@pytest.mark.parametrize("marked", [False, True], ids=["all pixels count", "some have no target"])
@pytest.mark.parametrize("colour", [True, False], ids=["colour", "grey"])
def test_maps_move_with_their_images(marked: bool, colour: bool) -> None:
    maps = np.random.RandomState(0).randint(1, 5, (30, 6, 8)).astype(np.int32)
    images = np.stack([maps, maps], axis=-1) if colour else maps
    targets = np.where(np.arange(30)[:, None, None] == 7, -1, maps) if marked else maps
    split = Split(images.astype(np.float32), targets.astype(np.int32))
    data = Data(split, split, split, source="maps", num_classes=5)
    augment = Augment(flip="both", shift="30%", crop=1)
    moved = 0
    for inputs, found in training_batches(data, 7, 1, seed=0, augment=augment).as_numpy_iterator():
        seen = inputs[..., 0] if colour else inputs
        assert np.isin(found[seen == 0], -1 if marked else 0).all()
        kept = (seen > 0) & (found != -1)
        assert np.array_equal(found[kept], seen[kept])
        moved += int((seen == 0).sum())
    assert moved > 0


def test_maps_among_several_targets_move_with_their_images() -> None:
    maps = np.random.RandomState(0).randint(1, 5, (30, 6, 8)).astype(np.int32)
    targets = {"classes": maps, "depth": maps[..., np.newaxis].astype(np.float32), "label": maps[:, 0, 0]}
    split = Split(maps.astype(np.float32), targets)
    data = Data(split, split, split, source="maps")
    augment = Augment(flip="both", shift="30%")
    for images, found in training_batches(data, 7, 1, seed=0, augment=augment).as_numpy_iterator():
        assert found.keys() == targets.keys()
        assert np.array_equal(found["classes"], images)
        assert np.array_equal(found["depth"][..., 0], images)
        assert set(found["label"]) <= set(targets["label"])
        assert found["label"].shape == (len(images),)


def test_mixup_mixes_images_and_one_hot_labels_alike() -> None:
    data = pictures(60)
    constant = Split(np.ones_like(data.train.inputs) * data.train.targets[:, None, None, None], data.train.targets)
    data = Data(constant, constant, constant, source="constant", num_classes=4)
    augment = Augment(mixup=1.0)
    assert one_hot_depth(data, augment) == 4
    assert one_hot_depth(data, Augment(flip="both")) is None
    _, images, targets = changed(data, augment)
    assert targets.shape == (60, 4)
    assert np.allclose(targets.sum(axis=1), 1)
    # Every image holds its class id, so the mixture of images must be the mixture of ids.
    assert np.allclose(images[:, 0, 0, 0], targets @ np.arange(4), atol=1e-5)
    assert ((targets.max(axis=1) > 0.01) & (targets.max(axis=1) < 0.99)).sum() > 20


@pytest.mark.parametrize("alpha", [0.001, 0.2, 1.0])
def test_mixup_shares_are_beta_distributed(alpha: float) -> None:
    draws = _beta(4000, alpha, tf.constant([1, 2], tf.int64)).numpy()
    assert np.isfinite(draws).all()
    assert draws.min() >= 0
    assert draws.max() <= 1
    # Variance of Beta(a, a) is 1 / (4 (2a + 1)).
    assert draws.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.1)


def test_every_epoch_and_example_draws_anew() -> None:
    data = pictures(30)
    same = Split(np.repeat(data.train.inputs[:1], 30, axis=0), data.train.targets)
    data = Data(same, same, same, source="same", num_classes=4)
    _, images, _ = changed(data, Augment(shift="34%"), epochs=2)
    assert len({image.tobytes() for image in images[:30]}) > 10
    assert not np.array_equal(images[:30], images[30:])


def test_grey_images_without_channel_axis() -> None:
    originals, images, _ = changed(pictures(20, shape=(6, 6)), Augment(flip="horizontal", crop=1))
    assert images.shape == originals.shape


def test_nothing_to_change_changes_nothing() -> None:
    originals, images, _ = changed(pictures(), Augment())
    assert np.array_equal(originals, images)


def test_what_cannot_be_augmented_is_refused() -> None:
    table = numbered()
    with pytest.raises(StageError, match=r"changes images.*but the examples have \(1,\)"):
        training_batches(table, 8, 1, 0, augment=Augment(flip="both"))
    with pytest.raises(StageError, match=r"is less than a pixel of 6x6.*Write at least 16.7%"):
        training_batches(pictures(), 8, 1, 0, augment=Augment(shift="2%"))
    quantities = Split(np.zeros((4, 1), np.float32), np.zeros((4, 1), np.float32))
    with pytest.raises(StageError, match="these targets are no labels"):
        training_batches(Data(quantities, quantities, quantities, source="q"), 2, 1, 0, one_hot=3)


def test_examples_on_disk_come_in_the_same_order(tmp_path: Path) -> None:
    inputs, labels = np.random.default_rng(0).random((23, 4, 4, 1)).astype(np.float32), np.arange(23, dtype=np.int32)
    save_rows(tmp_path / "x.npy", inputs)
    found = []
    for array in (inputs, StoredRows(tmp_path / "x.npy")):
        split = Split(array, labels)
        augment = Augment(flip="horizontal", mixup=0.0)
        data = Data(split, split, split, source="test", num_classes=23)
        batches = [*training_batches(data, 5, 2, 3, augment=augment), *evaluation_batches(split, 10)]
        found.append([part.numpy() for batch in batches for part in batch])
    assert len(found[0]) == len(found[1]) == 2 * (10 + 3)
    for memory, disk in zip(*found, strict=True):
        np.testing.assert_array_equal(memory, disk)


def test_rows_that_are_read_together_stay_near_each_other() -> None:
    order = shuffled(100, tf.constant([1, 2], tf.int64), 5).numpy()
    assert sorted(order) == list(range(100))
    groups = [sorted(order[start : start + 20]) for start in range(0, 100, 20)]
    assert sorted(groups) == [list(range(start, start + 20)) for start in range(0, 100, 20)]
    assert groups != sorted(groups)
    assert order[:20].tolist() != groups[0]


def test_an_example_that_cannot_be_read_is_named_by_its_own_error() -> None:
    class Broken(LazyArray):
        def read(self, positions: Any) -> Any:
            raise StageError("b/7.jpg cannot be read as an image.", code="data_unreadable")

    split = Split(Broken((8, 2), np.dtype(np.float32)), np.zeros(8, np.int32))
    with pytest.raises(StageError, match=r"b/7\.jpg cannot be read"), readable_errors():
        list(evaluation_batches(split, 4))
