"""Feeds tokens to a generative file; what it remembers is a value, so that an earlier moment can be gone back to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tfopt.backend.decoding.signatures import Signatures, read_signatures
from tfopt.backend.tflite import interpreter as litert
from tfopt.backend.types import Array

_BLOCKED = np.float32(-0.7 * np.finfo(np.float32).max)
"""What LiteRT-LM adds to the scores of positions that must not be attended to."""


@dataclass(frozen=True)
class Memory:
    """What a model remembers after a number of tokens. The arrays are never changed in place.

    Args:
        length: tokens that were fed.
        state: keys and values, or the state of a recurrent network, by name.
    """

    length: int
    state: Mapping[str, Array]


class GenerativeModel:
    """A generative `.tflite`, opened.

    Args:
        file: with the signatures of the contract.
        threads: that kernels may use.

    Raises:
        ExportError: the file is malformed, or has not these signatures.
    """

    def __init__(self, file: Path, threads: int = 1) -> None:
        self.file = file
        self.signatures: Signatures = read_signatures(file)
        self._interpreter = litert.open_file(file, threads).interpreter
        self._runners = {key: self._interpreter.get_signature_runner(key) for key in self.signatures.inputs}
        for key, inputs in self.signatures.inputs.items():
            # The first call of a signature allocates its tensors: it belongs to opening, not to the first token.
            self._call(key, self.empty(), [0], inputs["tokens"][0][-1])

    @property
    def context(self) -> int | None:
        """Most tokens that can be fed; None for no limit."""
        return self.signatures.context

    def empty(self) -> Memory:
        """Before the first token."""
        state = {name: np.zeros(shape, dtype) for name, (shape, dtype) in self.signatures.state.items()}
        return Memory(0, state)

    def prefill(self, memory: Memory, tokens: Sequence[int]) -> Memory:
        """Feeds tokens whose logits nobody needs.

        A bucket that is larger than the rest is filled up with token 0, whose keys and values later tokens overwrite;
        not in a recurrent network, whose state they would change, and not beyond the context, where the update of the
        cache would be moved.
        """
        rest = list(tokens)
        while rest:
            key = self._bucket(memory.length, len(rest))
            count = self.signatures.prefill[key] if key != "decode" else 1
            fed, rest = rest[:count], rest[count:]
            memory = self._call(key, memory, fed, count)[1]
        return memory

    def decode(self, memory: Memory, token: int) -> tuple[Array, Memory]:
        """Feeds one token.

        Returns:
            Logits of the token that follows, (vocabulary,), and what the model remembers then.
        """
        logits, after = self._call("decode", memory, [token], 1)
        return logits[0], after

    def verify(self, memory: Memory, tokens: Sequence[int]) -> tuple[Array, Memory]:
        """Feeds tokens in one call of `verify_N`.

        Args:
            memory: before them.
            tokens: at most N.

        Returns:
            Logits after each token, (tokens, vocabulary), and what the model remembers after all of them.
        """
        key, count = next(iter(self.signatures.verify.items()))
        return self._call(key, memory, tokens, count)

    def back_to(self, memory: Memory, length: int) -> Memory:
        """Forgets all but the first `length` tokens; not for recurrent networks."""
        return replace(memory, length=length)

    def _bucket(self, length: int, rest: int) -> str:
        """The signature for the next tokens: the smallest bucket that holds all of them, else the largest."""
        room = rest if self.signatures.recurrent else (self.context or 0) - length
        fitting = [(key, count) for key, count in self.signatures.prefill.items() if count <= room]
        if not fitting:
            return "decode"
        holding = [(key, count) for key, count in fitting if count >= rest]
        return holding[-1][0] if holding else fitting[0][0]

    def _call(self, key: str, memory: Memory, tokens: Sequence[int], count: int) -> tuple[Array, Memory]:
        padded = np.zeros((1, count), np.int32)
        padded[0, : len(tokens)] = tokens
        given: dict[str, Array] = {"tokens": padded, **memory.state}
        wanted = self.signatures.inputs[key]
        positions = memory.length + np.arange(count, dtype=np.int32)
        if "input_pos" in wanted:
            given["input_pos"] = positions
        if "mask" in wanted:
            given["mask"] = _mask(positions, *wanted["mask"])
        outputs = self._runners[key](**given)
        state = {name: outputs[name] for name in memory.state}
        logits = outputs.get("logits")
        shown = np.empty((0, 0), np.float32) if logits is None else logits.reshape(-1, logits.shape[-1])
        return shown[: len(tokens)], Memory(memory.length + len(tokens), state)


def _mask(positions: Array, shape: tuple[int, ...], dtype: str) -> Array:
    """Each token attends to itself and those before it, (1, 1, tokens, context)."""
    attend = np.arange(shape[-1]) <= positions[:, np.newaxis]
    values = attend if dtype == "bool" else np.where(attend, np.float32(0), _BLOCKED).astype(dtype)
    return values.reshape(shape)
