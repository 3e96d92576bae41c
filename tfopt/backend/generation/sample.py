"""Sequences of tokens to try a language model on: those of the test split, or random ones."""

from __future__ import annotations

import numpy as np
import tf_keras

from tfopt.backend.data.arrays.reading import in_memory, named
from tfopt.backend.data.splits import Data
from tfopt.backend.generation.signatures import token_input
from tfopt.backend.types import Array, ExampleArrays

_RANDOM_STATE = 3


def context_of(model: tf_keras.Model, data: Data | None) -> int | None:
    """Length of a model's sequences, or of the data's examples where it leaves that open."""
    length = model.inputs[0].shape[1]
    if length is not None or data is None:
        return length
    inputs = tokens_of(data.test.inputs, model)
    return None if inputs.ndim < 2 else int(inputs.shape[1])


def test_sequences(model: tf_keras.Model, data: Data | None, count: int, length: int) -> Array:
    """Tokens of the test split one after the other, without padding, in pieces; random tokens where they end.

    Args:
        model: with logits (examples, positions, tokens).
        data: of the recipe.
        count: of pieces.
        length: of each.

    Returns:
        int32 (count, length).
    """
    tokens = int(model.outputs[0].shape[-1])
    random = np.random.default_rng(_RANDOM_STATE).integers(min(1, tokens - 1), tokens, count * length)
    if data is not None:
        given = tokens_of(data.test.inputs, model)[: count * length].reshape(-1)
        known = given[(given != 0) & (given < tokens)][: count * length]
        random[: len(known)] = known
    return random.astype(np.int32).reshape(count, length)


def tokens_of(inputs: ExampleArrays, model: tf_keras.Model) -> Array:
    """The tokens among the inputs of examples, (examples, positions)."""
    if not isinstance(inputs, dict):
        return in_memory(inputs, "The test examples")
    by_name, name = named(inputs), token_input(model)
    return in_memory(by_name.get(name or "", next(iter(by_name.values()))), "The test examples")
