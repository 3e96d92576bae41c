"""Tiny language models with random weights, and data with a tokenizer for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

TOKENS, LENGTH, WIDTH = 20, 12, 8
"""Sizes of the vocabulary, the context and the vectors."""
STOP = "d"
"""A token of the vocabulary."""


def character_tokenizer() -> bytes:
    """`tokenizer.json` of single characters, `a` is token 2."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = {chr(ord("a") + index): index + 2 for index in range(TOKENS - 2)}
    tokenizer = Tokenizer(models.WordLevel({"[PAD]": 0, "[UNK]": 1, **letters}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.decoder = decoders.Fuse()
    return tokenizer.to_str().encode()


def text_data(*, tokenizer: bool = True) -> Any:
    """Random texts as one split for everything, targets shifted by one."""
    from tfopt.backend.data.splits import Data, Preprocessing, Split

    tokens = np.random.default_rng(0).integers(2, TOKENS, (6, LENGTH + 1)).astype(np.int32)
    split = Split(tokens[:, :-1], tokens[:, 1:])
    files = Preprocessing("tokenizer", {"tokenizer.json": character_tokenizer()}) if tokenizer else None
    return Data(split, split, split, "texts", num_classes=TOKENS, preprocessing=files)


def recurrent(kind: str, **embedding: Any) -> Any:
    """Two recurrent layers of a kind of tf_keras between an embedding and the scores."""
    from tf_keras import Sequential, layers

    layer = getattr(layers, kind)
    return Sequential(
        [
            layers.Input((LENGTH,), dtype="int32"),
            layers.Embedding(TOKENS, WIDTH, **embedding),
            layer(6, return_sequences=True, name="first"),
            layer(7, return_sequences=True, name="second"),
            layers.Dense(TOKENS, name="logits"),
        ]
    )


def with_layer(layer: Any) -> Any:
    """A layer on three axes between an embedding and the scores."""
    from tf_keras import Sequential, layers

    embedding = layers.Embedding(TOKENS, WIDTH)
    return Sequential([layers.Input((LENGTH,), dtype="int32"), embedding, layer, layers.Dense(TOKENS, name="logits")])


def keras_hub_decoder(name: str, **sizes: Any) -> Any:
    """A task of KerasHub that writes, as recipes make it, tiny; skips where KerasHub is missing.

    Args:
        name: of its class.
        sizes: of its backbone, besides those of all.
    """
    keras_hub = pytest.importorskip("keras_hub", reason="KerasHub is not installed (pip install 'tfopt[hub]')")
    from tfopt.backend.models.hub import for_data
    from tfopt.bridge import to_tf_keras

    kind = getattr(keras_hub.models, name)
    given = {"vocabulary_size": TOKENS, "num_layers": 1, "hidden_dim": 8, "intermediate_dim": 8, **sizes}
    model = for_data(kind(kind.backbone_cls(**given), preprocessor=None), name, None, text_data())
    random = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(weight + random.normal(0, 0.2, weight.shape))
    return to_tf_keras(model)


def with_cached_attention() -> Any:
    """Attention of a user's own class that keeps keys and values itself, in the manner of KerasHub."""
    import keras

    from tests.support.networks.cached_attention import Cached
    from tfopt.bridge import to_tf_keras

    tokens = keras.Input((LENGTH,), dtype="int32")
    x = keras.layers.Embedding(TOKENS, WIDTH)(tokens)
    causal = keras.ops.ones((1, LENGTH, LENGTH), "bool") & keras.ops.convert_to_tensor(np.tri(LENGTH)[None] > 0)
    x = x + Cached(name="cached")(keras.layers.RMSNormalization()(x), attention_mask=causal)
    return to_tf_keras(keras.Model(tokens, keras.layers.Dense(TOKENS)(x)))


def keras_hub_gpt_2(*, open_length: bool = False) -> Any:
    """GPT2CausalLM of KerasHub as recipes make it: its decoders are opened; skips where KerasHub is missing.

    Args:
        open_length: for sequences of any length, whose decoders stay closed.
    """
    keras_hub = pytest.importorskip("keras_hub", reason="KerasHub is not installed (pip install 'tfopt[hub]')")
    from tfopt.backend.models.hub import for_data
    from tfopt.bridge import to_tf_keras

    backbone = keras_hub.models.GPT2Backbone(
        vocabulary_size=TOKENS, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=8, max_sequence_length=16
    )
    model = keras_hub.models.GPT2CausalLM(backbone=backbone, preprocessor=None)
    return to_tf_keras(model if open_length else for_data(model, "GPT2CausalLM", None, text_data()))
