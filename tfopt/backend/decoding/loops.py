"""How tokens follow each other: one at a time, or proposed by a small model and verified together by the large one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tfopt.backend.decoding.model import GenerativeModel
from tfopt.backend.decoding.sampling import Sampling, drawn, probabilities
from tfopt.backend.types import Array


@dataclass
class Counts:
    """What a loop did so far.

    Args:
        calls: of the large model since the prompt.
        proposed: tokens that the draft proposed.
        accepted: how many of them were taken.
    """

    calls: int = 0
    proposed: int = 0
    accepted: int = 0


def one_by_one(
    model: GenerativeModel, prompt: Sequence[int], sampling: Sampling, random: np.random.Generator, counts: Counts
) -> Iterator[int | None]:
    """Tokens after a prompt, until the context is full; first None, when the prompt is read.

    Args:
        model: that generates.
        prompt: at least one token.
        sampling: how tokens are chosen.
        random: where chance comes from.
        counts: what is counted.
    """
    tokens = list(prompt)
    memory = model.prefill(model.empty(), tokens[:-1])
    yield None
    while model.context is None or len(tokens) < model.context:
        logits, memory = model.decode(memory, tokens[-1])
        counts.calls += 1
        tokens.append(drawn(probabilities(logits, tokens, sampling), random))
        yield tokens[-1]


def speculative(
    model: GenerativeModel,
    draft: GenerativeModel,
    prompt: Sequence[int],
    sampling: Sampling,
    random: np.random.Generator,
    counts: Counts,
) -> Iterator[int | None]:
    """The same tokens, distributed as those of `model` alone, with fewer calls of it.

    Leviathan, Kalman and Matias 2023, arXiv:2211.17192: a proposal of the draft is taken with the probability
    min(1, p/q); the first that is not is replaced by a token from max(0, p - q), normalized; after the last, one more
    token comes from p. So each token is distributed as p, that of the large model, whatever q, that of the draft, is.

    Args:
        model: the large one, with a signature `verify_N`; not recurrent.
        draft: the small one, of the same vocabulary.
        prompt: at least one token.
        sampling: how tokens are chosen, by both.
        random: where chance comes from.
        counts: what is counted.
    """
    tokens = list(prompt)
    memory = model.prefill(model.empty(), tokens[:-1])
    ahead = draft.prefill(draft.empty(), tokens[:-1])
    yield None
    count = next(iter(model.signatures.verify.values()))
    context = model.context or 0
    while len(tokens) < context:
        if not _fits(len(tokens), count, context, draft.context):
            # The end of the context: the fixed size of verify_N would reach beyond it.
            logits, memory = model.decode(memory, tokens[-1])
            counts.calls += 1
            tokens.append(drawn(probabilities(logits, tokens, sampling), random))
            yield tokens[-1]
            continue
        proposals: list[tuple[int, Array]] = []
        moments = []
        read = list(tokens)
        for _ in range(count - 1):
            logits, ahead = draft.decode(ahead, read[-1])
            share = probabilities(logits, read, sampling)
            read.append(drawn(share, random))
            proposals.append((read[-1], share))
            moments.append(ahead)
        logits, after = model.verify(memory, [tokens[-1], *(token for token, _ in proposals)])
        counts.calls += 1
        counts.proposed += len(proposals)
        taken = 0
        for (token, share), large in zip(proposals, logits[:-1], strict=True):
            wanted = probabilities(large, tokens, sampling)
            if random.random() * share[token] >= wanted[token]:
                rest = np.maximum(wanted - share, 0)
                tokens.append(drawn(rest / rest.sum(), random))
                yield tokens[-1]
                break
            taken += 1
            counts.accepted += 1
            tokens.append(token)
            yield token
        else:
            tokens.append(drawn(probabilities(logits[-1], tokens, sampling), random))
            yield tokens[-1]
        # Both must have read all tokens but the last.
        memory = model.back_to(after, len(tokens) - 1)
        ahead = draft.decode(ahead, proposals[-1][0])[1] if taken == len(proposals) else moments[taken]


def _fits(length: int, count: int, context: int, draft: int | None) -> bool:
    """Whether a round fits behind `length` tokens: it may add as many as `verify_N` reads."""
    return length + count <= (context if draft is None else min(context, draft))
