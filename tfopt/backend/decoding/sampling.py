"""Which token comes next: logits to probabilities, probabilities to a token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfopt.backend.types import Array


@dataclass(frozen=True)
class Sampling:
    """How a token is chosen.

    Args:
        temperature: what logits are divided by; 0 always takes the most probable token.
        top_k: how many of the most probable tokens may be chosen; None for all.
        top_p: the most probable tokens that together have at least this probability may be chosen (nucleus sampling,
            Holtzman et al. 2020, arXiv:1904.09751); 1 for all.
        repetition_penalty: what the logits of tokens that occurred are divided by (multiplied where they are negative;
            Keskar et al. 2019, arXiv:1909.05858); 1 for none.
    """

    temperature: float = 0.0
    top_k: int | None = None
    top_p: float = 1.0
    repetition_penalty: float = 1.0


def probabilities(logits: Array, tokens: Sequence[int], sampling: Sampling) -> Array:
    """The probability of each next token; all of it on one token where the temperature is 0.

    Args:
        logits: (vocabulary,).
        tokens: those before, prompt included.
        sampling: how to choose.

    Returns:
        (vocabulary,), float64.
    """
    scores = logits.astype(np.float64)
    if sampling.repetition_penalty != 1:
        seen = np.unique(np.asarray(tokens, np.int64))
        scores[seen] = np.where(
            scores[seen] > 0, scores[seen] / sampling.repetition_penalty, scores[seen] * sampling.repetition_penalty
        )
    if sampling.temperature == 0:
        chosen = np.zeros_like(scores)
        chosen[int(np.argmax(scores))] = 1.0
        return chosen
    scores = (scores - scores.max()) / sampling.temperature
    if sampling.top_k is not None and sampling.top_k < len(scores):
        kept = np.argsort(-scores, kind="stable")[: sampling.top_k]
        scores = _only(scores, kept)
    shares = np.exp(scores)
    shares /= shares.sum()
    if sampling.top_p < 1:
        order = np.argsort(-shares, kind="stable")
        before = np.cumsum(shares[order]) - shares[order]
        shares[order[before >= sampling.top_p]] = 0.0
        shares /= shares.sum()
    return shares


def drawn(shares: Array, random: np.random.Generator) -> int:
    """A token drawn with these probabilities; where one has all of them, no random number is used.

    Args:
        shares: (vocabulary,); sum to 1.
        random: where chance comes from.
    """
    best = int(np.argmax(shares))
    if shares[best] == 1.0:
        return best
    # By the running sum: `choice` demands a sum of exactly 1, and is slower.
    sums = np.cumsum(shares)
    index = int(np.searchsorted(sums, random.random() * sums[-1], side="right"))
    return min(index, int(np.flatnonzero(shares)[-1]))


def _only(scores: Array, kept: Array) -> Array:
    masked = np.full_like(scores, -np.inf)
    masked[kept] = scores[kept]
    return masked
