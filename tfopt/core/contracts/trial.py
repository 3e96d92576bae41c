"""What the converter makes of a model before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tfopt.core.config.quantization import Quantization
from tfopt.core.config.quantization_modes import MODES, ModeName
from tfopt.core.contracts.types import Data


@dataclass(frozen=True)
class TrialWorkload:
    """What will have been done to a model before its files are made.

    Args:
        data: the splits (`tfopt.backend.data.load.Data`).
        trained: whether any stage changes its weights.
        quantization: of the stage that simulates 8 bits, or None.
    """

    data: Data
    trained: bool
    quantization: Quantization | None


@dataclass(frozen=True)
class TrialConversion:
    """One `.tflite` file made for looking at it only.

    Args:
        name: of the file.
        quantize: its TFLite mode.
        operators: how often each operator is in it, loops included.
        float_operators: how often each reads or writes float values, QUANTIZE and DEQUANTIZE left out.
        float_layers: Keras layers behind those.
        layers: operators by Keras layer, in the order of the file, without QUANTIZE and DEQUANTIZE at its borders.
        refused: why there is no such file; empty where there is one.
        float_reasons: why a layer of an integer file computes in float, where the engine that makes it says so; the
            claim of the file then allows it.
        batch: examples per call that the recipe fixes; None where an app chooses.
    """

    name: str
    quantize: ModeName
    operators: Mapping[str, int] = field(default_factory=dict)
    float_operators: Mapping[str, int] = field(default_factory=dict)
    float_layers: tuple[str, ...] = ()
    layers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    refused: str = ""
    float_reasons: Mapping[str, str] = field(default_factory=dict)
    batch: int | None = None

    @property
    def floats_in_integers(self) -> bool:
        """Whether an integer file computes in float somewhere."""
        return MODES[self.quantize].integer_only and bool(self.float_operators)


def looked_at(files: Iterable[TrialConversion]) -> TrialConversion | None:
    """The file whose operators a table of layers shows: the first with integers, else the first, if any was made."""
    made = [file for file in files if not file.refused]
    return min(made, key=lambda file: not MODES[file.quantize].integer_only, default=None)
