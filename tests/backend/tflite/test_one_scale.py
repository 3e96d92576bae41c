"""Operators that move values have one scale on both of their sides in a file of the converter."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tests.support.converting import converter_of
from tfopt.backend.audit.tflite import indices
from tfopt.backend.tflite import flatbuffer
from tfopt.backend.tflite.one_scale import ONE_SCALE

pytestmark = pytest.mark.tf


def _moving() -> tf_keras.Model:
    """Sums of values that are moved in each way."""
    given = tf_keras.Input((4, 4, 2), batch_size=1)
    x = given * 3.0
    moved = [
        tf.reverse(x, [2])[:, :2, :2],  # REVERSE_V2, STRIDED_SLICE
        tf.slice(x, (0, 1, 1, 0), (1, 2, 2, 2)),
        tf.gather(x, [1, 3], axis=1)[:, :, ::2],
        tf.nn.max_pool2d(tf.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), 3, 3, "VALID"),
        tf.reshape(tf.transpose(x, (0, 3, 1, 2)), (1, 4, 4, 2))[:, 2:, 2:],
        tf.expand_dims(tf.squeeze(tf.reduce_max(tf.square(x), 1, keepdims=True), [1]), 1)[:, :, :2],
    ]
    total = moved[0] * 0.5
    for part in moved[1:]:
        total += part * 0.5
    return tf_keras.Model(given, total)


def test_the_converter_gives_both_sides_one_scale() -> None:
    converter = converter_of(_moving())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    random = np.random.default_rng(0)
    converter.representative_dataset = lambda: ([random.normal(size=(1, 4, 4, 2)).astype(np.float32)] for _ in range(8))
    file = flatbuffer.parse(converter.convert())
    graph, seen = file.model.subgraphs[0], set()
    for operator in graph.operators:
        name = file.operator_name(operator)
        if name in ONE_SCALE:
            taken, made = (graph.tensors[indices(ends)[0]] for ends in (operator.inputs, operator.outputs))
            assert taken.type == made.type == flatbuffer.schema.TensorType.INT8, name
            assert taken.quantization.scale[0] == made.quantization.scale[0], name
            seen.add(name)
    # These two become RESHAPE where all sizes are known.
    assert seen == ONE_SCALE - {"EXPAND_DIMS", "SQUEEZE"}
