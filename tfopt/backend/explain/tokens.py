"""Tokens as text, where the data of a run have a tokenizer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfopt.backend.data.splits import Split
from tfopt.backend.text.tokenizer import Tokenizer

_CONTEXT = 24
"""Tokens before a position that are shown."""


def token_names(tokenizer: Tokenizer | None) -> Sequence[str] | None:
    """Tokens as the vocabulary writes them, by id."""
    if tokenizer is None:
        return None
    return [repr(tokenizer.token_of(token) or "")[1:-1] for token in range(tokenizer.vocabulary_size)]


def before_position(tokenizer: Tokenizer, split: Split, example: int, position: int) -> str | None:
    """The text before the token that is predicted; None where the inputs are not its tokens.

    Args:
        tokenizer: of the data.
        split: with one input, (examples, tokens).
        example: position in the split.
        position: of the target in the sequence.
    """
    inputs = split.inputs
    if isinstance(inputs, dict) or inputs.ndim != 2 or inputs.dtype.kind not in "iu":
        return None
    tokens = np.asarray(inputs[example, max(0, position + 1 - _CONTEXT) : position + 1])
    return f"… {tokenizer.decode(tokens.tolist())}"
