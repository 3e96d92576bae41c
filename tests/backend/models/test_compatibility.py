"""Model, data and loss: what does not fit is one error before training."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tfopt.backend.data.splits import Data, Split
from tfopt.backend.models import build as models
from tfopt.core.config.training.compile import Compile
from tfopt.errors import StageError

pytestmark = pytest.mark.tf


def examples(shape: tuple[int, ...] = (4,), classes: int = 3) -> Data:
    inputs = np.random.RandomState(0).rand(12, *shape).astype(np.float32)
    split = Split(inputs, np.arange(12, dtype=np.int32) % classes)
    return Data(split, split, split, source="examples", num_classes=classes)


def dense(*, inputs: int = 4, outputs: int = 3, activation: str = "softmax") -> tf_keras.Model:
    return tf_keras.Sequential(
        [layers.InputLayer((inputs,)), layers.Dense(5, activation="relu"), layers.Dense(outputs, activation=activation)]
    )


def fits(model: tf_keras.Model, data: Data, loss: object = "sparse_categorical_crossentropy") -> list[str]:
    return models.check_fits(model, data, Compile.model_validate({"loss": loss}))


def test_shapes_and_classes_must_fit() -> None:
    images = tf_keras.Sequential([layers.InputLayer((6, 6, 1)), layers.Conv2D(3, 1, activation="softmax")])
    for model, data, match in [
        (dense(inputs=5), examples(), r"expects \(5,\) per example, but the data have \(4,\)"),
        (dense(outputs=2), examples(classes=3), r"labels go up to 2, but the layer 'dense.*' has 2 outputs.*Give it 3"),
        (images, examples((6, 6, 1)), r"returns \(6, 6, 3\) per example, but the labels have \(\)"),
    ]:
        with pytest.raises(StageError, match=match):
            fits(model, data)
    assert fits(dense(outputs=10), examples(classes=3)) == []


def test_loss_must_fit_the_targets() -> None:
    one_hot = Split(examples().train.inputs, np.eye(3, dtype=np.float32)[examples().train.targets])
    vectors = Data(one_hot, one_hot, one_hot, source="vectors")
    assert fits(dense(), vectors, "categorical_crossentropy") == []
    assert fits(dense(outputs=1, activation="sigmoid"), examples(classes=2), "binary_crossentropy") == []
    for model, data, loss, match in [
        (dense(), vectors, "sparse_categorical_crossentropy", "needs integer labels, not targets of float32"),
        (dense(), examples(), "categorical_crossentropy", "For integer labels use sparse_categorical_crossentropy"),
        (dense(outputs=2), examples(classes=2), "binary_crossentropy", "num_outputs: 1, output: sigmoid"),
        (
            dense(outputs=1),
            examples(classes=3),
            "binary_crossentropy",
            "two classes, but the labels go up to 2",
        ),
        (dense(outputs=5), vectors, "mse", r"returns \(5,\) per example, but the targets for the loss mse have \(3,\)"),
    ]:
        with pytest.raises(StageError, match=match):
            fits(model, data, loss)


def test_probabilities_and_logits_are_told_apart() -> None:
    logits = {"name": "sparse_categorical_crossentropy", "from_logits": True}
    assert fits(dense(), examples()) == []
    assert fits(dense(activation="linear"), examples(), logits) == []
    assert "already applies softmax" in fits(dense(), examples(), logits)[0]
    assert "has linear outputs" in fits(dense(activation="linear"), examples())[0]


def test_many_inputs_are_matched_by_name() -> None:
    left, right = layers.Input((4,), name="left"), layers.Input((2,), name="right")
    model = tf_keras.Model([left, right], layers.Dense(3, activation="softmax")(layers.Concatenate()([left, right])))
    arrays = {"right": np.zeros((6, 2), np.float32), "left": np.zeros((6, 4), np.float32)}
    split = Split(arrays, np.arange(6, dtype=np.int32) % 3)
    assert fits(model, Data(split, split, split, source="two", num_classes=3)) == []
    with pytest.raises(StageError, match="has the inputs left, right, the data have one"):
        fits(model, examples())
    renamed = Split({"links": arrays["left"], "right": arrays["right"]}, split.targets)
    with pytest.raises(StageError, match=r"data have the inputs links, right, but the model .* has left, right"):
        fits(model, Data(renamed, renamed, renamed, source="two", num_classes=3))


def test_maps_of_labels_must_fit() -> None:
    image = layers.Input((4, 4, 1))
    model = tf_keras.Model(image, layers.Conv2D(3, 1, activation="softmax")(image))
    maps = np.zeros((6, 4, 4), np.int32)
    maps[:, 0], maps[:, 1] = 2, 255
    ignoring = Compile.model_validate({"loss": {"name": "sparse_categorical_dice_crossentropy", "ignore_class": 255}})

    def of(labels: np.ndarray) -> Data:
        split = Split(np.zeros((6, 4, 4, 1), np.float32), labels)
        return Data(split, split, split, source="maps", num_classes=int(labels.max()) + 1)

    assert models.check_fits(model, of(maps), ignoring) == []
    with pytest.raises(StageError, match="labels go up to 255"):
        models.check_fits(model, of(maps), Compile())
    with pytest.raises(StageError, match=r"labels\[\.\.\., 0\]"):
        models.check_fits(model, of(maps[..., np.newaxis].clip(0, 2)), Compile())


def test_accuracy_of_quantities_is_told() -> None:
    inputs = examples().train.inputs
    for targets, warned in ((np.linspace(0, 2, 12), True), (np.arange(12) % 2, False)):
        split = Split(inputs, targets.astype(np.float32)[:, None])
        found = fits(dense(outputs=1, activation="linear"), Data(split, split, split, source="quantities"), "mse")
        assert [text for text in found if "accuracy counts equal classes" in text and "[mae]" in text] == found
        assert bool(found) == warned
