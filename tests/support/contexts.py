"""Digits, tiny models and a context that remembers events: what the tests of training and pruning share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras
from sklearn.datasets import load_digits

from tfopt.backend.data.splits import Data, Split
from tfopt.core.config.compile import Compile
from tfopt.core.config.data import Augment
from tfopt.core.contracts.result import StageResult
from tfopt.core.contracts.stage import StageContext
from tfopt.engine.history import StageHistory

layers = tf_keras.layers


@cache
def digits(train: int = 1200) -> Data:
    """scikit-learn's digits, (8, 8, 1), scaled to 0..1; the last 397 are the test split."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype("float32").reshape(-1, 8, 8, 1)
    labels = labels.astype("int32")
    cuts = [slice(0, train), slice(1200, 1400), slice(1400, None)]
    splits = [Split(images[cut], labels[cut]) for cut in cuts]
    return Data(*splits, source="digits", num_classes=10)


def small_model(dropout: float = 0.0, seed: int = 0) -> tf_keras.Model:
    """Conv (8 filters, one input channel), conv (16), dense (32), logits (10)."""
    tf_keras.utils.set_random_seed(seed)
    inputs = layers.Input((8, 8, 1))
    x = layers.Conv2D(8, 3, padding="same", activation="relu", name="conv1")(inputs)
    x = layers.MaxPooling2D(name="pool")(x)
    x = layers.Conv2D(16, 3, use_bias=False, name="conv2")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Flatten(name="flatten")(layers.ReLU(name="relu")(x))
    x = layers.Dropout(dropout, name="dropout")(x) if dropout else x
    x = layers.Dense(32, activation="relu", name="hidden")(x)
    return tf_keras.Model(inputs, layers.Dense(10, activation="softmax", name="logits")(x))


@dataclass
class Log:
    """Remembers events; calls `react` with each of them."""

    events: list[dict[str, Any]] = field(default_factory=list)
    react: Callable[[Mapping[str, Any]], None] = lambda event: None

    def __call__(self, event: Mapping[str, Any]) -> None:
        self.events.append(dict(event))
        self.react(event)

    def reported(self, result: StageResult) -> Any:
        """Keeps what a stage reports about itself, as the engine does; returns the model."""
        StageHistory("stage", self).report(result)
        return result.model

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of one kind."""
        return [event for event in self.events if event["event"] == kind]


def context(
    folder: Path,
    emit: Callable[[Mapping[str, Any]], None] = lambda event: None,
    *,
    data: Data | None = None,
    compile: Compile | None = None,
    batch_size: int = 64,
    seed: int = 3,
    augment: Augment | None = None,
) -> StageContext:
    """A stage's context whose work and logs lie in `folder`."""
    return StageContext(
        data=data or digits(),
        compile=compile or Compile(),
        batch_size=batch_size,
        seed=seed,
        emit=emit,
        work=folder / "work",
        logs=folder / "logs",
        augment=augment,
    )


def same_weights(one: tf_keras.Model, other: tf_keras.Model) -> bool:
    """Whether two models agree to the last bit."""
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)
