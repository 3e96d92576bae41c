"""What the tests of exported files share: one tiny model, trained once, with every variant written once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tfopt.backend.data.splits import Data, Split
from tfopt.core.config.compile import Compile
from tfopt.core.config.tflite_variant import Variant
from tfopt.core.contracts.export import ExportContext
from tfopt.core.records.report import ExportRecord

VARIANTS = {
    "float32": Variant(),
    "sparse": Variant(sparse=True),
    "float16": Variant(quantize="float16"),
    "dynamic": Variant(quantize="dynamic"),
    "int8": Variant(quantize="int8", io="int8", calibration=64),
    "uint8": Variant(quantize="int8", io="uint8", calibration=64),
    "float_io": Variant(quantize="int8", calibration=64),
}


@dataclass(frozen=True)
class StandIn:
    """The two models that a quantizing stage hands over."""

    model: Any
    float_model: Any
    names: dict[str, str] = field(default_factory=dict)
    float_layers: dict[str, str] = field(default_factory=dict)


@dataclass
class Exported:
    """A model, and what came of exporting it."""

    model: Any
    context: ExportContext
    events: list[Mapping[str, Any]] = field(default_factory=list)
    records: dict[str, ExportRecord] = field(default_factory=dict)

    def file(self, name: str) -> Path:
        return self.context.folder / f"{name}.tflite"


def digits(flat: bool = False) -> Data:
    """Handwritten digits, 8x8; as rows of 8 for recurrent models."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = (bunch.images / 16).astype(np.float32)
    inputs = images if flat else images[..., np.newaxis]
    targets = bunch.target.astype(np.int32)
    splits = [Split(inputs[start:end], targets[start:end]) for start, end in ((0, 1200), (1200, 1400), (1400, 1797))]
    return Data(*splits, source="digits")


def context_for(folder: Path, data: Data, events: list[Mapping[str, Any]] | None = None, **more: Any) -> ExportContext:
    folder.mkdir(parents=True, exist_ok=True)
    emit = (lambda event: None) if events is None else events.append
    return ExportContext(folder=folder, data=data, compile=more.pop("compile", Compile()), seed=3, emit=emit, **more)


def prune(kernel: np.ndarray, share: float) -> np.ndarray:
    """Sets the smallest weights to zero."""
    threshold = np.quantile(np.abs(kernel), share)
    return np.where(np.abs(kernel) <= threshold, 0, kernel).astype(kernel.dtype)
