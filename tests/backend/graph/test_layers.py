"""The walker over the layers of a model."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.tf


def test_nested_models_are_replaced_by_their_layers_and_a_shared_one_comes_once():
    import tf_keras
    from tf_keras import layers

    from tfopt.backend.graph.layers import leaf_layers

    inner = tf_keras.Sequential([layers.Dense(3, name="one"), layers.ReLU(name="relu")], name="inner")
    inputs = layers.Input((3,))
    model = tf_keras.Model(inputs, layers.Dense(2, name="head")(inner(inner(inputs))))

    assert [layer.name for layer in leaf_layers(model)] == ["one", "relu", "head"]
    assert [layer.name for layer in leaf_layers(model, weighted=True)] == ["one", "head"]


def test_a_layer_has_a_path_in_each_model_that_holds_it():
    import tf_keras
    from tf_keras import layers

    from tfopt.backend.graph.layers import layer_paths

    shared = layers.Dense(3, name="shared")
    inputs = layers.Input((3,))
    left, right = (tf_keras.Model(inputs, shared(inputs), name=name) for name in ("left", "right"))
    outside = layers.Input((3,), name="outside")
    model = tf_keras.Model(outside, layers.Add(name="sum")([left(outside), right(outside)]))

    paths = [path for path, layer in layer_paths(model) if layer.weights]
    assert paths == ["left/shared", "right/shared"]


def test_all_layers_enter_wrappers():
    from tf_keras import layers

    from tfopt.backend.graph.layers import all_layers

    wrapper = layers.TimeDistributed(layers.Dense(2, name="inside"), name="outside")
    wrapper.build((None, 4, 3))

    assert [layer.name for layer in all_layers(wrapper)] == ["inside"]
    assert [layer.name for layer in all_layers(wrapper, include_self=True)] == ["outside", "inside"]
