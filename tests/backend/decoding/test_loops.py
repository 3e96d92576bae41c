"""Speculative decoding is exact: greedy text is equal, drawn text has the distribution of the large model alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

from tests.support.generative import CONTEXT, DRAFT, LARGE, RECURRENT, VOCABULARY
from tfopt.backend.decoding.loops import Counts, one_by_one, speculative
from tfopt.backend.decoding.model import GenerativeModel, Memory
from tfopt.backend.decoding.sampling import Sampling, probabilities
from tfopt.backend.types import Array


@pytest.fixture(scope="module")
def large() -> GenerativeModel:
    return GenerativeModel(LARGE)


@pytest.fixture(scope="module")
def draft() -> GenerativeModel:
    return GenerativeModel(DRAFT)


def tokens(loop: Iterator[int | None], most: int = 99) -> list[int]:
    return [token for token in islice(loop, most + 1) if token is not None]


@pytest.mark.parametrize("proposer", [DRAFT, RECURRENT, LARGE], ids=lambda file: file.stem)
def test_greedy_text_is_that_of_the_large_model(large: GenerativeModel, proposer: Path) -> None:
    small = GenerativeModel(proposer)
    random = np.random.default_rng(0)
    for prompt in ([1], [5, 2], [1, 2, 3, 4, 5], list(range(1, 12)), list(range(13)), [3] * 15):
        alone, counts = tokens(one_by_one(large, prompt, Sampling(), random, Counts())), Counts()
        assert tokens(speculative(large, small, prompt, Sampling(), random, counts)) == alone
        assert len(prompt) + len(alone) == CONTEXT
        if proposer == LARGE:
            assert counts.accepted == counts.proposed
            assert counts.calls < len(alone) or len(alone) < 4


class Chain:
    """A model whose logits depend on the last token alone: fast enough to draw thousands of texts."""

    context = 12

    def __init__(self, seed: int, near: Array | None = None) -> None:
        noise = np.random.default_rng(seed).normal(size=(VOCABULARY, VOCABULARY))
        self.logits = noise if near is None else near + noise
        self.signatures = SimpleNamespace(verify={"verify_3": 3})

    def empty(self) -> Memory:
        return Memory(0, {})

    def prefill(self, memory: Memory, tokens: list[int]) -> Memory:
        return Memory(memory.length + len(tokens), {})

    def back_to(self, memory: Memory, length: int) -> Memory:
        return Memory(length, {})

    def decode(self, memory: Memory, token: int) -> tuple[Array, Memory]:
        return self.logits[token], self.prefill(memory, [token])

    def verify(self, memory: Memory, tokens: list[int]) -> tuple[Array, Memory]:
        return self.logits[tokens], self.prefill(memory, tokens)


@pytest.mark.parametrize(
    "sampling",
    [Sampling(1.0), Sampling(1.3, top_k=5, top_p=0.9, repetition_penalty=1.3)],
    ids=["plain", "every setting"],
)
def test_drawn_text_has_the_distribution_of_the_large_model(sampling: Sampling) -> None:
    large: Any = Chain(0)
    assert_same_distribution(large, Chain(1, near=large.logits), sampling, 2000)


@pytest.mark.slow
def test_drawn_text_of_files_has_the_distribution_of_the_large_one(
    large: GenerativeModel, draft: GenerativeModel
) -> None:
    assert_same_distribution(large, draft, Sampling(1.0), 4000)


def assert_same_distribution(large: Any, draft: Any, sampling: Sampling, draws: int) -> None:
    prompt, random, counts = [4, 1, 7], np.random.default_rng(1), Counts()
    drawn = [tuple(tokens(speculative(large, draft, prompt, sampling, random, counts), 2)) for _ in range(draws)]
    assert 0.1 < counts.accepted / counts.proposed < 0.95  # both ways of getting a token are taken
    expected = pairs(large, prompt, sampling)
    assert chi_square(drawn, expected) < 1 - 1e-4
    # The test can tell: the draft alone has another distribution.
    alone = [tuple(tokens(one_by_one(draft, prompt, sampling, random, Counts()), 2)) for _ in range(draws)]
    assert chi_square(alone, expected) > 1 - 1e-4


def pairs(model: Any, prompt: list[int], sampling: Sampling) -> dict[tuple[int, int], float]:
    """The probability of each two tokens after a prompt."""
    memory = model.prefill(model.empty(), prompt[:-1])
    logits, memory = model.decode(memory, prompt[-1])
    first = probabilities(logits, prompt, sampling)
    found = {}
    for one in range(VOCABULARY):
        second = probabilities(model.decode(memory, one)[0], [*prompt, one], sampling)
        found |= {(one, two): first[one] * second[two] for two in range(VOCABULARY)}
    return found


def chi_square(drawn: list[tuple[int, ...]], expected: dict[tuple[int, int], float]) -> float:
    """How improbable counts are: near 1 where they come of another distribution. Rare pairs are counted together."""
    found, draws = Counter(drawn), len(drawn)
    common = [pair for pair, share in expected.items() if share * draws >= 5]
    observed, wanted = [found[pair] for pair in common], [draws * expected[pair] for pair in common]
    rest = draws - sum(wanted)
    if rest >= 5:
        observed, wanted = [*observed, draws - sum(observed)], [*wanted, rest]
    statistic = sum((one - two) ** 2 / two for one, two in zip(observed, wanted, strict=True))
    return float(chi2.cdf(statistic, len(wanted) - 1))
