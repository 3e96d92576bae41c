"""Which layers of a file are stored and computed in a different way: rules of a `.tflite` variant."""

from __future__ import annotations

from tfopt.core.config.layer_rules import LayerRule
from tfopt.core.config.quantization_modes import MODES, Mode, ModeName


class FileRule(LayerRule):
    """How a file stores and computes a layer."""

    quantize: ModeName
    """`none`: in float, with float weights; the mode of the file: as the file does by itself; another mode where both
    can be in one file: in a file with float activations, any mode with float activations."""

    @property
    def mode(self) -> Mode:
        """The row of the table of modes."""
        return MODES[self.quantize]

    @property
    def keeps_float(self) -> bool:
        """Whether the layer is float32, weights and all."""
        return self.mode.weights == "float32"


def modes_of_rules(file: str) -> tuple[str, ...]:
    """The modes that rules of a file can give to a layer.

    An integer file has one type of activations: a layer computes in those, with the weights of the file or smaller ones
    that a kernel combines with them, or it is float.

    Args:
        file: the mode of the file.
    """
    if MODES[file].integer_only:
        return tuple(
            name for name, mode in MODES.items() if name == file or mode.weights == "float32" or mode.in_integer_files
        )
    return tuple(name for name, mode in MODES.items() if not mode.integer_only)
