"""Inputs and outputs of a `.tflite` as an app sees them: names, order, types, quantization.

Read from the file itself. `index` counts in the order of the file, which interpreters use; names are of the signature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfopt.backend.tflite import interpreter as litert
from tfopt.backend.tflite.interpreter import TensorDetails


@dataclass(frozen=True)
class Port:
    """One input or output.

    Args:
        name: in the signature of the file.
        tensor: name of its tensor.
        index: position among the inputs or outputs of the file.
        dtype: as NumPy calls it.
        shape: of one example, batch axis included, as it is given or comes out.
        default: shape that the file has before it is resized.
        scale: real value = scale * (number - zero_point); 0 where numbers are real values.
        zero_point: see `scale`.
    """

    name: str
    tensor: str
    index: int
    dtype: str
    shape: tuple[int, ...]
    default: tuple[int, ...]
    scale: float = 0.0
    zero_point: int = 0

    @property
    def resized(self) -> bool:
        """Whether an app must set the shape before the first call."""
        return self.shape != self.default

    @property
    def count(self) -> int:
        """Numbers of one example."""
        return int(np.prod(self.shape))

    @property
    def integers(self) -> bool:
        """Whether its numbers stand for real values in steps of `scale`."""
        return self.scale > 0

    @property
    def real_value(self) -> str:
        """What its numbers stand for, as a formula."""
        if not self.integers:
            return "number"
        sign = "-" if self.zero_point >= 0 else "+"
        return f"{self.scale:.9g} * (number {sign} {abs(self.zero_point)})"

    @property
    def shift(self) -> str:
        """How the zero point is added, as the end of a formula."""
        return f"{'+' if self.zero_point >= 0 else '-'} {abs(self.zero_point)}"

    def record(self) -> dict[str, object]:
        """As plain values."""
        return {**asdict(self), "shape": list(self.shape), "default": list(self.default)}


@dataclass(frozen=True)
class Ports:
    """All of a file.

    Args:
        inputs: in the order of the file.
        outputs: in the order of the file.
        stateful: whether the file keeps a state between calls, which an app resets before each example.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    stateful: bool = False

    @classmethod
    def of(cls, record: dict[str, Any]) -> Ports:
        """From plain values."""

        def ports(found: Sequence[dict[str, Any]]) -> tuple[Port, ...]:
            return tuple(
                Port(**{**one, "shape": tuple(one["shape"]), "default": tuple(one["default"])}) for one in found
            )

        return cls(ports(record["inputs"]), ports(record["outputs"]), record["stateful"])


class RunDetails(TensorDetails):
    """What LiteRT says of a tensor, and its shape with one example."""

    now: tuple[int, ...]


def described(details: Mapping[str, RunDetails], order: Sequence[TensorDetails], defaults: bool) -> list[Port]:
    """The inputs or outputs of an interpreter that has run one example.

    Args:
        details: by signature name.
        order: details in the order of the file.
        defaults: whether the shape before resizing matters.
    """
    indices = [entry["index"] for entry in order]
    found = []
    for name, entry in details.items():
        scale, zero_point = entry["quantization"]
        shape = tuple(int(size) for size in entry["now"])
        default = tuple(int(size) for size in entry["shape"]) if defaults else shape
        found.append(
            Port(
                name,
                str(entry["name"]),
                indices.index(entry["index"]),
                np.dtype(entry["dtype"]).name,
                shape,
                default,
                float(scale),
                int(zero_point),
            )
        )
    return sorted(found, key=lambda port: port.index)


def open_model(path: str) -> litert.LiteRTModel:
    """Opens a file as an app does, with one thread."""
    return litert.open_file(Path(path), 1)
