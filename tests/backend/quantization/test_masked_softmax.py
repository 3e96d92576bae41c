"""Attention inside of layers that are not opened: the same outputs, from scores that 8 bits can tell apart."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfopt.backend.bridge import to_tf_keras
from tfopt.backend.quantization.masked_softmax import integer_softmax, may_mask_inside

pytestmark = pytest.mark.tf

DRAW = np.random.RandomState(0)
SCORES = DRAW.normal(0, 3, (2, 2, 4, 5)).astype(np.float32)
MASK = DRAW.uniform(size=(2, 1, 4, 5)) < 0.5
MASK[0, 0, 1] = False
VECTORS = DRAW.normal(0, 1, (2, 4, 6)).astype(np.float32)


def _attention(causal: bool) -> Callable[[tf.Tensor], tf.Tensor]:
    layer = keras.layers.MultiHeadAttention(2, 3)
    kept = None if causal else np.tri(4)[np.newaxis] > 0
    return lambda x: layer(x, x, attention_mask=kept, use_causal_mask=causal)


CALLS: dict[str, tuple[Callable[[tf.Tensor], tf.Tensor], np.ndarray]] = {
    "bool": (lambda x: keras.layers.Softmax()(x, mask=MASK), SCORES),
    "float": (lambda x: keras.layers.Softmax()(x, mask=MASK.astype(np.float32)), SCORES),
    "no mask": (lambda x: keras.layers.Softmax()(x), SCORES),
    "other axis": (lambda x: keras.layers.Softmax(axis=1)(x, mask=MASK), SCORES),
    "attention mask": (_attention(causal=False), VECTORS),
    "causal": (_attention(causal=True), VECTORS),
}


def least_constant(call: Callable[[tf.Tensor], tf.Tensor], values: np.ndarray) -> float:
    """The lowest number in the graph of a call."""
    graph = tf.function(call).get_concrete_function(tf.TensorSpec(values.shape, tf.float32)).graph
    constants = [tf.get_static_value(operation.outputs[0]) for operation in graph.get_operations() if operation.outputs]
    numbers = [value for value in constants if value is not None and value.dtype == np.float32 and value.size]
    return min(float(np.min(value)) for value in numbers)


@pytest.mark.parametrize("name", CALLS)
def test_outputs_stay_and_no_score_is_far_below_the_others(name: str) -> None:
    call, values = CALLS[name]
    before = np.asarray(call(tf.constant(values)))
    with integer_softmax():
        inside = np.asarray(call(tf.constant(values)))
        if name not in ("no mask", "other axis"):
            assert least_constant(call, values) > -1e3
    np.testing.assert_allclose(inside, before, atol=1e-6)
    if name not in ("no mask",):
        assert least_constant(call, values) < -1e8, "Keras is as before"


def test_only_layers_that_are_run_as_they_are_count() -> None:
    scores = keras.Input((2, 5))
    assert not may_mask_inside(to_tf_keras(keras.Model(scores, keras.layers.Softmax()(scores))))
    hub = pytest.importorskip("keras_hub", reason="KerasHub is not installed (pip install tfopt[hub])")
    assert may_mask_inside(to_tf_keras(hub.models.FalconBackbone(9, 1, 2, 8, 8)))
