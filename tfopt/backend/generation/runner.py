"""A cached `.tflite` file as a loop calls it: prefill, then token after token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from tfopt.backend.generation.names import CACHE, LOGITS, MASK, POSITIONS, TOKENS
from tfopt.backend.types import Array

State = Mapping[str, Array]
_GIVEN = (TOKENS, POSITIONS, MASK)
_BLOCKED = np.float32(-0.7 * np.finfo(np.float32).max)


class Runner:
    """A file in LiteRT's interpreter.

    Args:
        path: a `.tflite` file with `decode` or another signature that returns logits.
    """

    def __init__(self, path: Path | str) -> None:
        self._interpreter = Interpreter(model_path=str(path), num_threads=1)
        self.signatures = self._interpreter.get_signature_list()
        self._runners = {key: self._interpreter.get_signature_runner(key) for key in self.signatures}
        details = next(iter(self._runners.values())).get_input_details()
        self._zeros = {
            name: np.zeros(tuple(each["shape"]), each["dtype"]) for name, each in details.items() if name not in _GIVEN
        }
        lengths = {key: int(runner.get_input_details()["tokens"]["shape"][1]) for key, runner in self._runners.items()}
        self.buckets = sorted(length for key, length in lengths.items() if key.startswith("prefill"))
        masks = [runner.get_input_details().get("mask") for runner in self._runners.values()]
        self.context = int(masks[0]["shape"][-1]) if masks[0] is not None else None
        self._pads = all(name.startswith(CACHE) for name in self._zeros)

    def empty(self) -> State:
        """The state before the first token."""
        return self._zeros

    def prefill(self, tokens: Sequence[int], state: State, at: int = 0) -> State:
        """The state after some tokens, in the fewest buckets; one with other states than caches is never padded."""
        while tokens:
            full = [length for length in self.buckets if length <= len(tokens)]
            padded = [length for length in self.buckets if length >= len(tokens)] if self._pads else []
            if padded and (not full or full[-1] < self.buckets[-1]):
                length = padded[0]
            elif full:
                length = full[-1]
            else:
                state, _ = self.call("decode", tokens[:1], at, state)
                tokens, at = tokens[1:], at + 1
                continue
            state, _ = self.call(f"prefill_{length}", tokens[:length], at, state, length)
            tokens, at = tokens[length:], at + length
        return state

    def call(
        self, key: str, tokens: Sequence[int], at: int, state: State, length: int | None = None
    ) -> tuple[State, Array]:
        """Calls a signature with tokens, padded as LiteRT-LM does: token 0 at position 0.

        Returns:
            The new state, and logits (tokens, vocabulary), empty where the signature has none.
        """
        size = len(tokens) if length is None else length
        padded, positions = np.zeros((1, size), np.int32), np.zeros(size, np.int32)
        padded[0, : len(tokens)], positions[: len(tokens)] = tokens, np.arange(at, at + len(tokens))
        given = {"tokens": padded, "input_pos": positions, "mask": self._mask(key, positions)}
        known = self._runners[key].get_input_details()
        outputs = self._runners[key](**{name: value for name, value in {**given, **state}.items() if name in known})
        logits = outputs.pop(LOGITS, np.zeros((size, 0), np.float32))
        return outputs, logits.reshape(size, -1)[: len(tokens)]

    def _mask(self, key: str, positions: Array) -> Array | None:
        details = self._runners[key].get_input_details().get("mask")
        if details is None:
            return None
        seen = np.arange(int(details["shape"][-1])) <= positions[:, np.newaxis]
        return np.where(seen, np.float32(0), _BLOCKED)[np.newaxis, np.newaxis]
