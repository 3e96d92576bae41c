"""Proves in LiteRT's interpreter that a file with state computes what it would compute without.

`whole`, the file that it is compared with, has the same weights in the same mode, and computes all positions of the
context in one call. Every function runs in a child process: LiteRT may crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from tfopt.backend.decoding.signatures import details
from tfopt.backend.generation.runner import Runner
from tfopt.backend.types import Array


class Proof(TypedDict):
    """What `compare` found.

    Attributes:
        signatures: shape and dtype of each input and output.
        predicted: for each sequence the token after each position, by `decode`.
        wrong: what differs, in words.
        steps: comparisons of a step of `decode`.
        prompts: comparisons of a prompt through `prefill`.
        difference: the largest between two logits.
    """

    signatures: dict[str, dict[str, dict[str, list[object]]]]
    predicted: list[list[int]]
    wrong: list[str]
    steps: int
    prompts: int
    difference: float


def compare(path: str, whole: str, sequences: list[list[int]], lengths: list[int]) -> Proof:
    """Compares the most likely next token after every length.

    Args:
        path: file with state.
        whole: file that computes all positions in one call.
        sequences: of tokens, each as long as the context.
        lengths: of prompts, at which prefill is proven; each is at most the context.
    """
    runner, complete = Runner(path), Runner(whole)
    greedy = _greedy(runner, sequences[0][0], len(sequences[0]))
    wrong: list[str] = []
    predicted: list[list[int]] = []
    difference = 0.0
    for number, sequence in enumerate([*sequences, greedy]):
        name = "the greedy text" if number == len(sequences) else f"sequence {number + 1}"
        expected = _logits(complete, "whole", sequence)
        found = _step_by_step(runner, sequence)
        difference = max(difference, float(np.abs(expected - found).max()))
        predicted.append(found.argmax(-1).tolist())
        for at in np.flatnonzero(found.argmax(-1) != expected.argmax(-1))[:1]:
            wrong.append(
                f"{name}: after {at + 1} tokens, decode gives {found[at].argmax()}, full recomputation "
                f"{expected[at].argmax()}"
            )
        if number == 0:
            wrong += _after_prefill(runner, sequence, expected, lengths, name)
    return {
        "signatures": details(path),
        "predicted": predicted[:-1],
        "wrong": wrong,
        "steps": sum(len(sequence) for sequence in predicted),
        "prompts": len(lengths),
        "difference": difference,
    }


def _greedy(runner: Runner, first: int, length: int) -> list[int]:
    tokens, state = [first], runner.empty()
    while len(tokens) < length:
        state, logits = runner.call("decode", tokens[-1:], len(tokens) - 1, state)
        tokens.append(int(logits[-1].argmax()))
    return tokens


def _step_by_step(runner: Runner, sequence: Sequence[int]) -> Array:
    state, found = runner.empty(), []
    for at, token in enumerate(sequence):
        state, logits = runner.call("decode", [token], at, state)
        found.append(logits)
    return np.concatenate(found)


def _logits(runner: Runner, key: str, sequence: Sequence[int]) -> Array:
    _, logits = runner.call(key, sequence, 0, runner.empty())
    return logits


def _after_prefill(
    runner: Runner, sequence: Sequence[int], expected: Array, lengths: Sequence[int], name: str
) -> list[str]:
    """Prompts of each length as LiteRT-LM takes them: all but the last token by prefill, the last by decode."""
    for length in lengths:
        state = runner.prefill(list(sequence[: length - 1]), runner.empty())
        _, logits = runner.call("decode", sequence[length - 1 : length], length - 1, state)
        if logits[-1].argmax() != expected[length - 1].argmax():
            return [
                f"{name}: after a prompt of {length} tokens, decode gives {logits[-1].argmax()}, full recomputation "
                f"{expected[length - 1].argmax()}"
            ]
    return []


def outputs(whole: str, inputs: str, target: str) -> None:
    """Logits of many texts.

    Args:
        whole: file that computes all positions in one call.
        inputs: .npy file of tokens, int32 (texts, context).
        target: .npy file to write, float32 (texts, context, vocabulary).
    """
    runner = Runner(whole)
    found = [_logits(runner, "whole", row.tolist()) for row in np.load(inputs)]
    np.save(target, np.stack(found))


def continuations(path: str, prompts: list[list[int]], stop: list[int]) -> list[list[int]]:
    """Greedy continuations up to the end of the context, or a stop token.

    Args:
        path: file with state.
        prompts: token ids, at least one each.
        stop: token ids that end a text; they belong to it.
    """
    runner = Runner(path)
    return [_continued(runner, prompt, stop) for prompt in prompts]


def _continued(runner: Runner, prompt: list[int], stop: list[int]) -> list[int]:
    state, at, last = runner.prefill(prompt[:-1], runner.empty()), len(prompt) - 1, prompt[-1]
    found: list[int] = []
    while len(prompt) + len(found) < (runner.context or 0):
        state, logits = runner.call("decode", [last], at, state)
        last, at = int(logits[-1].argmax()), at + 1
        found.append(last)
        if last in stop:
            break
    return found
