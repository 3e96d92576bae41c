"""What a generative file can be asked: its signatures by the contract of LiteRT-LM, read and checked.

`prefill_N` feeds N tokens, `decode` feeds one and returns the logits of the next, `verify_N` feeds N and returns the
logits after each (LiteRT-LM ignores it). Inputs other than `tokens`, `input_pos` and `mask` are the state of the
model; each comes back as an output of its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfopt.backend.tflite import child_process, flatbuffer
from tfopt.backend.tflite import interpreter as litert
from tfopt.errors import ExportError

ATTENTION = "kv_cache"
"""How the names of keys and values begin; any other state is that of a recurrent network."""
_NOT_STATE = ("tokens", "input_pos", "mask")
Details = Mapping[str, tuple[tuple[int, ...], str]]
"""Shape and dtype by name."""


@dataclass(frozen=True)
class Signatures:
    """What a file can be asked.

    Args:
        prefill: tokens that a call feeds, by signature, the largest first.
        verify: tokens that a call of `verify_N` feeds, by signature.
        inputs: shape and dtype of the inputs by name, by signature.
        vocabulary: number of tokens that logits are of.
        context: most tokens that fit into the state; None where it has no limit (recurrent networks).
    """

    prefill: Mapping[str, int]
    verify: Mapping[str, int]
    inputs: Mapping[str, Details]
    vocabulary: int
    context: int | None

    @property
    def state(self) -> Details:
        """The state of the model: a cache of keys and values, or the state of a recurrent network."""
        return {name: value for name, value in self.inputs["decode"].items() if name not in _NOT_STATE}

    @property
    def recurrent(self) -> bool:
        """Whether what was fed cannot be taken back by forgetting positions."""
        return not all(name.startswith(ATTENTION) for name in self.state)

    @property
    def cache_bytes(self) -> int:
        """Bytes of the state."""
        return sum(int(np.prod(shape)) * np.dtype(dtype).itemsize for shape, dtype in self.state.values())


def read_signatures(file: Path) -> Signatures:
    """Opens a file in a child process, because a malformed one may abort it, and reads its signatures.

    Args:
        file: a `.tflite`.

    Raises:
        ExportError: it is malformed, or its signatures are not those of a generative file.
    """
    flatbuffer.read(file)
    found: dict[str, dict[str, dict[str, Any]]] = child_process.call(
        "tfopt.backend.decoding.signatures:details", {"path": str(file)}
    )
    return checked(found, file.name)


def details(path: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Runs in the child process: shapes and dtypes of `inputs` and `outputs` by signature."""
    interpreter = litert.open_file(path, 1).interpreter
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for key in interpreter.get_signature_list():
        runner = interpreter.get_signature_runner(key)
        sides = {"inputs": runner.get_input_details(), "outputs": runner.get_output_details()}
        found[key] = {
            side: {
                name: [[int(size) for size in each["shape"]], np.dtype(each["dtype"]).name]
                for name, each in tensors.items()
            }
            for side, tensors in sides.items()
        }
    return found


def checked(found: Mapping[str, Mapping[str, Mapping[str, Any]]], name: str) -> Signatures:
    """The signatures of a file, if they are those of a generative one.

    Args:
        found: shape and dtype of each tensor, by signature, side and name.
        name: of the file, for the error.

    Raises:
        ExportError: a signature is missing, or has not the tensors it must have.
    """
    if "decode" not in found:
        raise _unusable(name, f"has no signature 'decode'; it has {', '.join(sorted(found)) or 'none'}")
    inputs = {
        key: {tensor: (tuple(shape), dtype) for tensor, (shape, dtype) in sides["inputs"].items()}
        for key, sides in found.items()
    }
    outputs = {
        key: {tensor: (tuple(shape), dtype) for tensor, (shape, dtype) in sides["outputs"].items()}
        for key, sides in found.items()
    }
    counts = {
        key: given["tokens"][0][-1]
        for key, given in inputs.items()
        if key.startswith(("decode", "prefill", "verify")) and "tokens" in given
    }
    if counts.get("decode") != 1:
        raise _unusable(name, "has a signature 'decode' that takes no single token as 'tokens'")
    logits = outputs["decode"].get("logits")
    if logits is None:
        raise _unusable(name, f"returns no 'logits' from 'decode', but {', '.join(sorted(outputs['decode']))}")
    for key in counts:
        state = {tensor: value for tensor, value in inputs[key].items() if tensor not in _NOT_STATE}
        lost = [tensor for tensor, value in state.items() if outputs[key].get(tensor) != value]
        if lost:
            raise _unusable(name, f"does not return the state {lost[0]!r} from {key!r} as it takes it")
        if set(state) != set(inputs["decode"]) - set(_NOT_STATE):
            raise _unusable(name, f"has another state in {key!r} than in 'decode'")
    mask = inputs["decode"].get("mask")
    if mask is None and any(name.startswith(ATTENTION) for name in inputs["decode"]):
        raise _unusable(name, "has a cache of keys and values, but no 'mask' in 'decode'")
    return Signatures(
        prefill=dict(_of_kind(counts, "prefill")),
        verify={key: count for key, count in _of_kind(counts, "verify") if "logits" in outputs[key]},
        inputs={key: inputs[key] for key in counts},
        vocabulary=int(logits[0][-1]),
        context=None if mask is None else int(mask[0][-1]),
    )


def _of_kind(counts: Mapping[str, int], kind: str) -> list[tuple[str, int]]:
    found = [(key, count) for key, count in counts.items() if key.startswith(kind)]
    return sorted(found, key=lambda item: -item[1])


def _unusable(name: str, why: str) -> ExportError:
    return ExportError(
        f"{name} {why}.",
        "Text is generated by a file that export.generate wrote: one with the signatures prefill_N and decode.",
        code="not_generative",
    )
