"""Tiny models of every kind, with made-up data that are easy to tell apart; used by `modes_matrix.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

CLASSES, TRAIN, TEST = 4, 256, 128
WORDS = 32


def _labels(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, CLASSES, count)


def _patterns(shape: tuple[int, ...]) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Noise around a pattern of each class."""
    patterns = np.random.default_rng(0).normal(size=(CLASSES, *shape)) * 1.5
    sides = []
    for seed, count in ((1, TRAIN), (2, TEST)):
        labels = _labels(seed, count)
        noise = np.random.default_rng(seed + 10).normal(size=(count, *shape))
        sides.append(((patterns[labels] + noise).astype(np.float32), labels))
    return sides[0], sides[1]


def images() -> Any:
    """8x8 images of 3 channels."""
    return _patterns((8, 8, 3))


def sequences() -> Any:
    """12 steps of 4 values."""
    return _patterns((12, 4))


def tokens() -> Any:
    """12 words; those of a class are from a part of the vocabulary of its own."""
    sides = []
    for seed, count in ((1, TRAIN), (2, TEST)):
        labels = _labels(seed, count)
        words = np.random.default_rng(seed).integers(0, WORDS // CLASSES, (count, 12))
        sides.append(((words + labels[:, None] * (WORDS // CLASSES)).astype(np.int32), labels))
    return sides[0], sides[1]


def two_inputs() -> Any:
    """An image and a vector."""
    (image, labels), (test_image, test_labels) = _patterns((8, 8, 3))
    (vector, _), (test_vector, _) = _patterns((16,))
    return ({"image": image, "vector": vector}, labels), ({"image": test_image, "vector": test_vector}, test_labels)


def two_targets() -> Any:
    """Images with their class and the mean of their pixels."""
    sides = [(seen, {"kind": labels, "size": seen.mean((1, 2, 3)) * 4}) for seen, labels in images()]
    return sides[0], sides[1]


def cnn() -> Any:
    from tf_keras import Sequential, layers

    return Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Conv2D(16, 3, padding="same", use_bias=False, name="conv1"),
            layers.BatchNormalization(name="norm1"),
            layers.ReLU(name="relu1"),
            layers.MaxPooling2D(name="pool"),
            layers.Conv2D(32, 3, activation="relu", name="conv2"),
            layers.Flatten(name="flatten"),
            layers.Dense(32, activation="relu", name="hidden"),
            layers.Dense(CLASSES, activation="softmax", name="logits"),
        ],
        name="cnn",
    )


def depthwise() -> Any:
    from tf_keras import Sequential, layers

    return Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Conv2D(16, 3, padding="same", activation="relu", name="conv"),
            layers.DepthwiseConv2D(3, activation="relu", name="depthwise"),
            layers.Conv2D(32, 1, activation="relu", name="pointwise"),
            layers.GlobalAveragePooling2D(name="mean"),
            layers.Dense(CLASSES, activation="softmax", name="logits"),
        ],
        name="depthwise",
    )


def residual() -> Any:
    from tf_keras import Model, layers

    given = layers.Input((8, 8, 3), name="image")
    first = layers.Conv2D(16, 3, padding="same", activation="relu", name="conv1")(given)
    second = layers.Conv2D(16, 3, padding="same", name="conv2")(first)
    joined = layers.ReLU(name="relu")(layers.Add(name="add")([first, second]))
    mean = layers.GlobalAveragePooling2D(name="mean")(joined)
    return Model(given, layers.Dense(CLASSES, activation="softmax", name="logits")(mean), name="residual")


def transformer() -> Any:
    from tf_keras import Model, layers

    given = layers.Input((12,), dtype="int32", name="words")
    embedded = layers.Embedding(WORDS, 32, name="embedding")(given)
    attended = layers.MultiHeadAttention(2, 16, name="attention")(embedded, embedded)
    normal = layers.LayerNormalization(name="norm1")(layers.Add(name="add1")([embedded, attended]))
    wide = layers.Dense(64, activation="gelu", name="up")(normal)
    narrow = layers.Dense(32, name="down")(wide)
    last = layers.LayerNormalization(name="norm2")(layers.Add(name="add2")([normal, narrow]))
    mean = layers.GlobalAveragePooling1D(name="mean")(last)
    return Model(given, layers.Dense(CLASSES, activation="softmax", name="logits")(mean), name="transformer")


def lstm() -> Any:
    from tf_keras import Sequential, layers

    return Sequential(
        [
            layers.Input((12, 4)),
            layers.LSTM(16, name="lstm"),
            layers.Dense(32, activation="relu", name="hidden"),
            layers.Dense(CLASSES, activation="softmax", name="logits"),
        ],
        name="lstm",
    )


def several_inputs() -> Any:
    from tf_keras import Model, layers

    image, vector = layers.Input((8, 8, 3), name="image"), layers.Input((16,), name="vector")
    seen = layers.GlobalAveragePooling2D(name="mean")(layers.Conv2D(16, 3, activation="relu", name="conv")(image))
    joined = layers.Concatenate(name="joined")([seen, layers.Dense(16, activation="relu", name="side")(vector)])
    hidden = layers.Dense(32, activation="relu", name="hidden")(joined)
    outputs = layers.Dense(CLASSES, activation="softmax", name="logits")(hidden)
    return Model([image, vector], outputs, name="several_inputs")


def several_outputs() -> Any:
    from tf_keras import Model, layers

    given = layers.Input((8, 8, 3), name="image")
    seen = layers.GlobalAveragePooling2D(name="mean")(layers.Conv2D(16, 3, activation="relu", name="conv")(given))
    one = layers.Dense(CLASSES, activation="softmax", name="kind")(seen)
    return Model(given, [one, layers.Dense(1, name="size")(seen)], name="several_outputs")


@dataclass(frozen=True)
class Kind:
    """A model and its data.

    Args:
        model: a function of this file.
        data: a function of this file.
        compile: the recipe's block.
    """

    model: Callable[[], Any]
    data: Callable[[], Any]
    compile: Mapping[str, Any] = field(default_factory=dict)


KINDS = {
    "cnn": Kind(cnn, images),
    "depthwise": Kind(depthwise, images),
    "residual": Kind(residual, images),
    "transformer": Kind(transformer, tokens),
    "lstm": Kind(lstm, sequences),
    "multi-input": Kind(several_inputs, two_inputs),
    "multi-output": Kind(
        several_outputs, two_targets, {"loss": {"kind": "sparse_categorical_crossentropy", "size": "mse"}}
    ),
}
