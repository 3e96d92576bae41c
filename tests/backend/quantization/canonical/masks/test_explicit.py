"""Masks as tensors: the outputs of Keras for padded and all-masked examples, no Keras mask left, weights restored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tfopt.backend.bridge.zeroing import ZeroingMultiHeadAttention, ZeroingSoftmax
from tfopt.backend.graph.layers import nodes
from tfopt.backend.quantization.canonical import canonicalize, initial_weights
from tfopt.backend.quantization.canonical.mask_layers import WithoutMask, ZeroPadded
from tfopt.backend.quantization.canonical.masks.rules import MOST_STEPS
from tfopt.backend.quantization.integer_form import integer_form
from tfopt.backend.types import Array, Shape

pytestmark = pytest.mark.tf

STEPS = 6
Build = Callable[[tf_keras.layers.Layer], tf_keras.layers.Layer]


def _tokens(build: Build, steps: int | None = STEPS) -> tf_keras.Model:
    words = layers.Input((steps,), dtype="int32", name="words")
    return tf_keras.Model(words, build(layers.Embedding(9, 4, mask_zero=True, name="table")(words)))


def _series(build: Build, value: float = 0.0) -> tf_keras.Model:
    series = layers.Input((STEPS, 3), name="series")
    return tf_keras.Model(series, build(layers.Masking(value, name="masking")(series)))


def _plain(build: Build, steps: int | None = STEPS) -> tf_keras.Model:
    series = layers.Input((steps, 3), name="series")
    return tf_keras.Model(series, build(series))


def _softmax() -> tf_keras.Model:
    scores, keep = layers.Input((STEPS,)), layers.Input((STEPS,), dtype="bool", name="keep")
    return tf_keras.Model([scores, keep], ZeroingSoftmax(robust_masking=True)(scores, mask=keep))


def _given() -> tf_keras.Model:
    """A mask that is an input of the model."""
    series, keep = layers.Input((STEPS, 3), name="series"), layers.Input((STEPS,), dtype="bool", name="keep")
    return tf_keras.Model([series, keep], layers.LSTM(3, name="rnn")(series, mask=keep))


def _given_to_attention() -> tf_keras.Model:
    """A mask of scores that is an input of the model, in numbers, in addition to the mask of padding."""
    words, keep = layers.Input((STEPS,), dtype="int32"), layers.Input((STEPS, STEPS), dtype="int32", name="keep")
    x = layers.Embedding(9, 4, mask_zero=True)(words)
    return tf_keras.Model([words, keep], layers.MultiHeadAttention(2, 3, name="mha")(x, x, attention_mask=keep))


def _merged(x: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
    y = layers.TimeDistributed(layers.Dense(4), name="each")(layers.Dropout(0.1)(x))
    both = layers.Concatenate(axis=1, name="after")([layers.Add()([x, y]), x])
    return layers.GlobalAveragePooling1D(keepdims=True)(layers.Concatenate(name="beside")([both, both]))


def _nested(x: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
    inner = layers.Input((STEPS, 4))
    part = tf_keras.Model(inner, layers.GRU(3)(layers.Masking(name="inside")(inner)), name="part")
    return part(layers.Dense(4)(x))


MODELS: dict[str, Callable[[], tf_keras.Model]] = {
    "lstm": lambda: _series(layers.LSTM(3, name="rnn")),
    "value": lambda: _series(lambda x: layers.Flatten()(layers.Dense(2)(x)), -1.0),
    "gru": lambda: _tokens(lambda x: layers.SimpleRNN(2)(layers.GRU(3, return_sequences=True)(x))),
    "states": lambda: _tokens(lambda x: layers.LSTM(3, return_sequences=True, return_state=True)(x)[:2]),
    "backwards": lambda: _tokens(layers.LSTM(3, go_backwards=True, return_sequences=True)),
    "both": lambda: _tokens(lambda x: layers.GRU(2)(layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x))),
    "apart": lambda: _tokens(layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode=None)),
    "mean": lambda: _tokens(lambda x: layers.GlobalAveragePooling1D()(layers.BatchNormalization()(x))),
    "heads": lambda: _tokens(lambda x: layers.MultiHeadAttention(2, 3)(x, x)),
    "causal": lambda: _tokens(lambda x: layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)),
    "causal_alone": lambda: _plain(lambda x: layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)),
    "causal_open": lambda: _plain(lambda x: layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True), None),
    "causal_attention": lambda: _plain(lambda x: layers.Attention()([x, x], use_causal_mask=True)),
    "causal_additive": lambda: _tokens(lambda x: layers.AdditiveAttention()([x, x], use_causal_mask=True)),
    "zeroing": lambda: _tokens(lambda x: ZeroingMultiHeadAttention(2, 3, dropout=0.5)(x, x)),
    "zeroing_softmax": _softmax,
    "attention": lambda: _tokens(lambda x: layers.Attention(use_scale=True)([x, x])),
    "additive": lambda: _tokens(lambda x: layers.AdditiveAttention()([x, x])),
    "merged": lambda: _tokens(_merged),
    "nested": lambda: _tokens(_nested),
    "given": _given,
    "given_to_attention": _given_to_attention,
}


def _examples(model: tf_keras.Model) -> list[Array]:
    """Padded examples of 0 to all steps; the first has no step that counts."""
    random = np.random.default_rng(0)
    kept = np.arange(STEPS) < np.array([0, 1, 3, 5, 6, 2])[:, None]
    value = next((layer.mask_value for layer in model.layers if isinstance(layer, layers.Masking)), 0.0)
    found = []
    for tensor in model.inputs:
        if tensor.shape.rank == 3 and tensor.dtype.is_floating:
            found.append(np.where(kept[..., None], random.normal(size=(6, STEPS, 3)), value).astype("float32"))
        elif tensor.dtype.is_floating:
            found.append(random.normal(size=(6, STEPS)).astype("float32"))
        elif tensor.shape.rank == 3:
            found.append(np.repeat(np.tri(STEPS, dtype="int32")[None], 6, axis=0))
        else:
            found.append(kept if tensor.dtype == "bool" else (random.integers(1, 9, (6, STEPS)) * kept).astype("int32"))
    return found


@pytest.mark.parametrize("name", MODELS)
def test_the_outputs_are_those_of_keras_and_no_mask_flows(name: str) -> None:
    model = MODELS[name]()
    form = integer_form(model)
    assert form is not None
    masked = {type(node.layer) for node in nodes(form.model) for tensor in node.keras_inputs if _is_masked(tensor)}
    assert masked <= {WithoutMask, ZeroPadded}  # where one ends
    assert all(getattr(layer, "unroll", True) for layer in form.model.layers)
    examples = _examples(model)
    pairs = zip(_outputs(model, examples), _outputs(form.model, examples), strict=True)
    for expected, found in pairs:
        numbers = ~np.isnan(expected)  # the mean over no step: 0 / 0 in Keras
        np.testing.assert_allclose(found[numbers], expected[numbers], atol=1e-5)
        assert np.all(found[~numbers] == 0)
    back = form.restored(initial_weights(form))
    for before, after in zip(model.get_weights(), back.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def _is_masked(tensor: object) -> bool:
    return getattr(tensor, "_keras_mask", None) is not None


def _outputs(model: tf_keras.Model, examples: list[Array]) -> list[Array]:
    # Not `predict`, which traces a graph first.
    found = model(examples if len(examples) > 1 else examples[0], training=False)
    return [np.asarray(values) for values in (found if isinstance(found, list) else [found])]


def test_a_model_without_masks_stays_as_it_is() -> None:
    series = layers.Input((STEPS, 3))
    model = tf_keras.Model(series, layers.LSTM(3)(series))
    assert integer_form(model) is None
    assert canonicalize(model).model.get_layer(index=-1).unroll is False


def test_open_and_long_sequences_stay_loops() -> None:
    open_model = _tokens(layers.LSTM(3, name="rnn"), None)
    assert _unrolled(open_model) is False
    assert _unrolled(open_model, {"words": (STEPS,)}) is True
    assert _unrolled(_tokens(layers.GRU(3, name="rnn"), MOST_STEPS + 1)) is False


def _unrolled(model: tf_keras.Model, shapes: Mapping[str, Shape] = MappingProxyType({})) -> bool:
    form = integer_form(model, shapes)
    assert form is not None
    return bool(form.model.get_layer("rnn").unroll)
