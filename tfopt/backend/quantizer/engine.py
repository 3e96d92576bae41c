"""What litert-quantizer is asked for, operator by operator. The only file that imports it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping

from litert_quantizer import algorithm_manager, qtyping
from litert_quantizer.quantizer import Quantizer

from tfopt.backend.quantizer.choices import Choice
from tfopt.backend.quantizer.ranges import Activation
from tfopt.core.config.quantization_modes import Mode

_ALGORITHMS = {
    "min_max": algorithm_manager.AlgorithmName.MIN_MAX_UNIFORM_QUANT,
    "mse": algorithm_manager.AlgorithmName.MSE,
    "octav": algorithm_manager.AlgorithmName.OCTAV,
    "gptq": algorithm_manager.AlgorithmName.GPTQ,
    "hadamard": algorithm_manager.AlgorithmName.DECOMPOSED_HADAMARD_ROTATION,
}
_BITS = {"float16": 16, "int16": 16, "int8": 8, "int4": 4, "int2": 2}
_LARGEST_ROTATION = 64
"""A rotation is a float32 matrix in the file, by default as wide as the input: 256 kB for a Dense of 256 inputs, whose
int4 weights take 8 kB. Smaller ones in a row rotate the parts of a wide input: 16 kB."""
_OWN_NAMES = {"TRANSPOSE_CONV": "CONV_2D_TRANSPOSE"}


def writes(operator: str, mode: Mode) -> bool:
    """Whether the quantizer can write an operator in a mode with integer activations."""
    try:
        name = qtyping.TFLOperationName(_OWN_NAMES.get(operator, operator))
        algorithm_manager.check_op_quantization_config(_ALGORITHMS["min_max"], name, _config(mode, "min_max"))
    except ValueError:
        return False
    return True


class Engine:
    """One file to quantize.

    Args:
        content: a float32 `.tflite` file in which no two tensors have the same name.
    """

    def __init__(self, content: bytes) -> None:
        self._quantizer = Quantizer(bytearray(content))

    def tell(self, choices: Iterable[Choice], integer_ports: Mapping[str, Mode]) -> None:
        """Says what becomes of each operator.

        Args:
            choices: for each operator.
            integer_ports: modes of the inputs ("INPUT") and outputs ("OUTPUT") of the file where they are integers.
        """
        groups: dict[tuple[str, Mode, str], list[str]] = {}
        for choice in choices:
            if choice.mode is not None:
                key = (choice.operator.name, choice.mode, choice.algorithm)
                groups.setdefault(key, []).append(re.escape(choice.operator.scope))
        for number, ((operator, mode, algorithm), scopes) in enumerate(groups.items()):
            # Equal expressions would replace each other: the number makes each its own.
            expression = f"^(?:{'|'.join(scopes)})$(?#{number})"
            self._update(expression, _OWN_NAMES.get(operator, operator), mode, algorithm)
        for port, mode in integer_ports.items():
            self._update(f".*(?#{port})", port, mode, "min_max")

    def _update(self, expression: str, operator: str, mode: Mode, algorithm: str) -> None:
        operation = qtyping.TFLOperationName(operator)
        key = algorithm_manager.AlgorithmName.FLOAT_CASTING if mode.stores_floats else _ALGORITHMS[algorithm]
        self._quantizer.update_quantization_recipe(expression, operation, _config(mode, algorithm), key)

    def quantize(self, activations: Mapping[str, Activation]) -> bytes:
        """The file.

        Args:
            activations: what calibration saw, by name of the tensor; empty where nothing needs it.
        """
        known = {name: each.as_statistics() for name, each in activations.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the memory of the interpreter that it looks names up in
            result = self._quantizer.quantize(known or None, enable_progress_bar=False, enable_progress_report=False)
        return bytes(result.quantized_model)


def _config(mode: Mode, algorithm: str) -> qtyping.OpQuantizationConfig:
    rotation = {"max_hadamard_size": _LARGEST_ROTATION} if algorithm == "hadamard" else {}
    weights = qtyping.TensorQuantizationConfig(
        num_bits=_BITS[mode.weights],
        symmetric=True,
        granularity=qtyping.QuantGranularity(f"BLOCKWISE_{mode.block}" if mode.block else "CHANNELWISE"),
        dtype=qtyping.TensorDataType.FLOAT if mode.stores_floats else qtyping.TensorDataType.INT,
        algorithm_params=rotation,
    )
    activations = None
    if mode.integer_only:
        bits = _BITS[mode.activations]
        activations = qtyping.TensorQuantizationConfig(num_bits=bits, symmetric=bits == 16)
    floats = mode.weights_only or mode.stores_floats
    return qtyping.OpQuantizationConfig(
        activation_tensor_config=activations,
        weight_tensor_config=weights,
        compute_precision=qtyping.ComputePrecision.FLOAT if floats else qtyping.ComputePrecision.INTEGER,
        explicit_dequantize=floats,
    )
