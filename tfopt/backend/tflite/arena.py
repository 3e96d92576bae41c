"""How much memory LiteRT plans for the tensors that a file computes: its arena."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tfopt.backend.tflite import flatbuffer
from tfopt.backend.tflite import interpreter as litert
from tfopt.backend.types import Array

_GAP = 128
"""Bytes between two tensors above which they lie in different blocks of memory: within one, LiteRT aligns to 64, and
what lives for longer than a call has a block of its own."""


def arena_bytes(path: Path | str, example: Mapping[str, Array]) -> int | None:
    """Bytes of all tensors that are computed, as they share memory, with the scratch memory of the kernels.

    LiteRT has no call that says it, so the addresses of the tensors are read after a run on the built-in kernels.
    XNNPACK keeps what lies between its operators to itself: with it, the arena is smaller and its own memory unknown.

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
    """Bytes that blocks of (address, bytes) cover, gaps of the alignment included."""
    starts, sizes = np.asarray(blocks).T
    ends = np.maximum.accumulate(starts + sizes)
    breaks = [0, *(np.flatnonzero(starts[1:] - ends[:-1] > _GAP) + 1), len(starts)]
    return sum(int(ends[after - 1] - starts[before]) for before, after in itertools.pairwise(breaks))
