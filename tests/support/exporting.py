"""What the tests of exported files share: one tiny model, trained once, with every variant written once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfopt.core.config.files.calibration import Calibration
from tfopt.core.config.files.tflite_variant import IoTypes, Variant
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
    "mixed_io": Variant(quantize="int8", io=IoTypes(input="uint8", output="float32"), calibration=64),
    "equalized": Variant(
        quantize="int8", calibration=Calibration(examples=64, select="balanced", range="mse", equalize=True)
    ),
}


@dataclass(frozen=True)
class StandIn:
    """The two models that a quantizing stage hands over."""

    model: Any
    float_model: Any
    original_names: dict[str, str] = field(default_factory=dict)
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
