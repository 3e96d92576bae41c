"""Walking the layers of a model."""

from __future__ import annotations

from collections.abc import Iterator

import tf_keras


def leaf_layers(model: tf_keras.Model) -> Iterator[tf_keras.layers.Layer]:
    """All layers of a model in order, those of nested models in their place, each once."""
    seen: set[int] = set()

    def walk(outer: tf_keras.Model) -> Iterator[tf_keras.layers.Layer]:
        for layer in outer.layers:
            if isinstance(layer, tf_keras.Model):
                yield from walk(layer)
            elif id(layer) not in seen and not isinstance(layer, tf_keras.layers.InputLayer):
                seen.add(id(layer))
                yield layer

    return walk(model)
