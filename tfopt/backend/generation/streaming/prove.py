"""Runs a stream in LiteRT's interpreter, in a child process."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import TypedDict

import numpy as np
from ai_edge_litert.interpreter import Interpreter, SignatureRunner

from tfopt.backend.types import Array

_STATE = "state_"


class Streamed(TypedDict):
    """What `run` found.

    Attributes:
        outputs: .npy file of the largest signature by output.
        whole: the same of one call.
        pieces: by signature the largest difference from the outputs of the largest one.
        milliseconds: median of a call by signature.
    """

    outputs: dict[str, str]
    whole: dict[str, str]
    pieces: dict[str, float]
    milliseconds: dict[str, float]


def run(path: str, whole: str, examples: str, folder: str, few: int) -> Streamed:
    """Streams sequences through a file.

    Args:
        path: file with `stream_<frames>`.
        whole: file that reads a sequence in one call.
        examples: .npy file, (examples, frames, ...).
        folder: for .npy files of outputs.
        few: examples for all signatures but the largest.
    """
    given = np.load(examples)
    streams, complete = _signatures(path), _signatures(whole)["whole"]
    ordered = sorted(streams, key=lambda key: int(key.rpartition("_")[2]))
    found, times = {}, {}
    for key in ordered:
        rows = given if key == ordered[-1] else given[:few]
        found[key], times[key] = _streamed(streams[key], streams[ordered[0]], rows)
    largest = found[ordered[-1]]
    once, _ = _streamed(complete, complete, given)
    pieces = {
        key: max(float(np.abs(outputs[name] - largest[name][: len(outputs[name])]).max()) for name in outputs)
        for key, outputs in found.items()
    }
    return {
        "outputs": _saved(largest, folder, "stream"),
        "whole": _saved(once, folder, "whole"),
        "pieces": pieces,
        "milliseconds": times,
    }


def _signatures(path: str) -> dict[str, SignatureRunner]:
    interpreter = Interpreter(model_path=path, num_threads=1)
    return {key: interpreter.get_signature_runner(key) for key in interpreter.get_signature_list()}


def _streamed(runner: SignatureRunner, single: SignatureRunner, examples: Array) -> tuple[dict[str, Array], float]:
    """Outputs of whole sequences, read piece by piece; the rest of a sequence by the smallest signature."""
    details = runner.get_input_details()
    states = {name: np.zeros(each["shape"], each["dtype"]) for name, each in details.items() if name.startswith(_STATE)}
    (port,) = [name for name in details if name not in states]
    size, least = (int(each.get_input_details()[port]["shape"][1]) for each in (runner, single))
    rows: list[dict[str, Array]] = []
    times: list[float] = []
    for example in examples:
        state: Mapping[str, Array] = states
        pieces: list[Mapping[str, Array]] = []
        at = 0
        while at + least <= len(example):
            call, count = (runner, size) if at + size <= len(example) else (single, least)
            begin = perf_counter()
            outputs = call(**{port: example[np.newaxis, at : at + count]}, **state)
            if call is runner:
                times.append(perf_counter() - begin)
            state, at = {name: outputs[name] for name in states}, at + count
            pieces.append({name: value.copy() for name, value in outputs.items() if name not in states})
        rows.append({name: _joined([piece[name] for piece in pieces], at) for name in pieces[0]})
    milliseconds = 1000 * float(np.median(times))
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}, milliseconds


def _joined(pieces: list[Array], frames: int) -> Array:
    """Outputs of each frame one after the other; of the last call where there is one for all frames."""
    is_sequence = pieces[0].ndim > 2 and sum(piece.shape[1] for piece in pieces) == frames
    return np.concatenate(pieces, 1) if is_sequence else pieces[-1]


def _saved(outputs: Mapping[str, Array], folder: str, label: str) -> dict[str, str]:
    files = {name: f"{folder}/{label}.{number}.npy" for number, name in enumerate(outputs)}
    for name, file in files.items():
        np.save(file, outputs[name])
    return files
