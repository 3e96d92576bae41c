"""Attention written with `keras.ops` is simulated, whatever its masks are."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from tests.support.canonical import quantized_file, there_and_back, treatments
from tfopt.backend.bridge import to_tf_keras
from tfopt.backend.bridge.layer_wrapper import Keras3LayerWrapper
from tfopt.backend.quantization.canonical import Canonical
from tfopt.backend.quantization.canonical.rewrites.operators.keras3_attention import added_mask, product

pytestmark = pytest.mark.tf

LENGTH, HEADS, WIDTH = 6, 2, 4


def projected(x: Any, name: str) -> Any:
    return layers.EinsumDense("abc,cde->abde", (LENGTH, HEADS, WIDTH), bias_axes="de", name=name)(x)


def joined(context: Any, name: str) -> Any:
    return layers.EinsumDense("abcd,cde->abe", (LENGTH, HEADS * WIDTH), name=name)(context)


def attention() -> keras.Model:
    """Three kinds of masks: added, of the softmax layer (an input of the model), and of the fused operation."""
    x = keras.Input((LENGTH, HEADS * WIDTH), name="x")
    present = keras.Input((LENGTH,), dtype="int32", name="present")
    causal = np.tri(LENGTH) > 0
    scores = ops.einsum("aecd,abcd->acbe", projected(x, "key_1"), projected(x, "query_1") * 0.5)
    weights = ops.softmax(scores + np.where(causal, 0, -1e9).astype("float32")[np.newaxis, np.newaxis], axis=-1)
    y = layers.Add(name="sum_1")(
        [x, joined(ops.einsum("acbe,aecd->abcd", weights, projected(x, "value_1")), "joined_1")]
    )
    scores = ops.einsum("abcd,aecd->acbe", projected(y, "query_2"), projected(y, "key_2"))
    mask = ops.expand_dims(ops.expand_dims(present, 1), 1)
    weights = layers.Softmax(axis=(3,), name="softmax_2")(scores, mask=mask)
    z = layers.Add(name="sum_2")(
        [y, joined(ops.einsum("acbe,aecd->abcd", weights, projected(y, "value_2")), "joined_2")]
    )
    fused = ops.dot_product_attention(
        projected(z, "query_3"), projected(z, "key_3"), projected(z, "value_3"), is_causal=True
    )
    pooled = layers.Flatten(name="flat")(joined(fused, "joined_3"))
    return keras.Model([x, present], layers.Dense(3, name="head")(pooled), name="attention")


@pytest.fixture(scope="module")
def canonical() -> Canonical:
    """Its outputs are the same there and back."""
    keras.utils.set_random_seed(2)
    return there_and_back(to_tf_keras(attention()))


def test_no_operation_on_values_stays_in_a_wrapper(canonical: Canonical) -> None:
    model = canonical.original
    wrapped = [layer for layer in canonical.model.layers if isinstance(layer, Keras3LayerWrapper)]
    assert [layer.name for layer in wrapped if layer.output.dtype.is_floating] == []
    not_simulated = {name for name, how in treatments(canonical).items() if how.startswith(("after training", "float"))}
    assert not not_simulated & {layer.name for layer in model.layers if layer.output.dtype.is_floating}


def test_the_file_computes_in_integers(canonical: Canonical) -> None:
    file = quantized_file(canonical, data=True)
    assert file.float_operators == []
    assert file.operators.count("SOFTMAX") == 3


def test_equations_become_products_of_matrices() -> None:
    scores = product("aecd,abcd->acbe")
    assert scores is not None
    assert (scores.swapped, scores.transposed, scores.result) == (True, True, (0, 1, 2, 3))
    context = product("acbe,aecd->abcd")
    assert context is not None
    assert (context.swapped, context.transposed, context.right) == (False, False, (0, 2, 1, 3))
    for other in ("ab,bc->ac", "abc,abd->a", "aab,abc->ac", "...a,...a->...", "abc->acb"):
        assert product(other) is None


def test_only_zeros_and_large_negative_numbers_are_a_mask() -> None:
    kept = added_mask(np.array([[0.0, -1e9], [0.0, 0.0]]))
    assert kept is not None
    assert kept.tolist() == [[True, False], [True, True]]
    for other in ([[0.0, -1.0]], [[-1e9, -1e9], [0.0, 0.0]], [[0.0, 0.0]], -1e9):
        assert added_mask(np.array(other)) is None
