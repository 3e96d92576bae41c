"""How much memory LiteRT plans for the tensors that a file computes: its arena."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tfopt.backend.tflite import flatbuffer
from tfopt.backend.tflite import interpreter as litert
from tfopt.backend.types import Array

_ALIGNMENT = 64
"""Bytes to which LiteRT aligns each tensor."""


def arena_bytes(path: Path | str, example: Mapping[str, Array]) -> int | None:
    """Bytes of all tensors that are computed, as they share memory, with the scratch memory of the kernels.

    LiteRT has no call that says it, so the addresses of the tensors are read after a run on the built-in kernels.
    XNNPACK keeps what is between its operators to itself: with it, the arena is smaller and its own memory unknown.

    Args:
        path: a `.tflite` file that runs.
        example: one example per input name; empty for random numbers.

    Returns:
        None where no tensor of the file is computed.
    """
    file = flatbuffer.read(Path(path))
    constant = {i for i, tensor in enumerate(file.model.subgraphs[0].tensors) if file.raw(tensor) is not None}
    model = litert.open_file(path, threads=1, kernels="builtin")
    inputs = example or litert.random_inputs(model)
    model.prepare(inputs)
    model.set_inputs(inputs)
    model.interpreter.invoke()
    blocks = []
    for details in model.interpreter.get_tensor_details():
        if details["index"] in constant:
            continue
        try:
            view = model.interpreter.tensor(details["index"])()
        except ValueError:  # without memory: never computed, or text
            continue
        if view.nbytes:
            blocks.append((view.__array_interface__["data"][0], view.nbytes))
    return _span(sorted(blocks)) if blocks else None


def _span(blocks: list[tuple[int, int]]) -> int:
    """Bytes that sorted blocks of (address, bytes) cover together, each with the rest of its alignment.

    Gaps do not count: between the blocks of different arenas they are a matter of chance.
    """
    starts, sizes = np.asarray(blocks).T
    ends = starts + -(-sizes // _ALIGNMENT) * _ALIGNMENT
    covered = np.maximum.accumulate(ends)
    before = np.concatenate([starts[:1], covered[:-1]])
    return int(np.maximum(ends - np.maximum(starts, before), 0).sum())
