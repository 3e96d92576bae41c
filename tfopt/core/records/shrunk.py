"""What a shrink stage promised about the network that it left, for the claims of its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Shrunk:
    """The promise of a shrink stage.

    Args:
        stage: its name.
        layers: layers whose weights are smaller.
        macs: multiply-accumulate operations for one example, before and after.
        parameters: number of weights, before and after.
        latency: limit on the latency, as a share of that of the dense file, or in milliseconds; None for other budgets.
        relative: whether the limit is a share.
        dense_file: float32 `.tflite` of the network before; None where latency is not limited.
        narrow_file: the same of the network after; None where latency is not limited, and in results of older versions.
        float_exported: whether the recipe writes a float32 file, which the limit is held against; if not, it is
            `narrow_file`.
    """

    stage: str
    layers: tuple[str, ...]
    macs: tuple[int, int]
    parameters: tuple[int, int]
    latency: float | None = None
    relative: bool = True
    dense_file: Path | None = None
    narrow_file: Path | None = None
    float_exported: bool = True

    @classmethod
    def of(cls, stage: str, details: Mapping[str, Any], folder: Path) -> Shrunk:
        """The promise in the details of a stage (`StageRecord.details["shrink"]`).

        Args:
            stage: its name.
            details: of the stage.
            folder: where the stage keeps files with its result.
        """
        limit = details.get("latency_limit")
        return cls(
            stage=stage,
            layers=tuple(details["narrowed_layers"]),
            macs=(details["macs_before"], details["macs_after"]),
            parameters=(details["parameters_before"], details["parameters_after"]),
            latency=None if limit is None else limit["amount"],
            relative=limit is None or limit["relative"],
            dense_file=None if limit is None else folder / "dense.tflite",
            narrow_file=folder / "narrow.tflite" if limit is not None and details.get("narrow_file") else None,
        )
