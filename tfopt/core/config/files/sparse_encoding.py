"""Which sparsely encoded weights the kernels of LiteRT compute right: the one table, measured.

`benchmarks/sparse_encoding.py` measures it (LiteRT 2.3, Dense layers and convolutions, 20 to 95 % zeros).
The converter encodes a weight tensor from 30 % zeros on; those of a Dense layer in blocks along the inputs, of 4 floats
or 16 integers, where blocks hold nearly all of its zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Operator = Literal["FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D"]
"""Operators whose weights the converter encodes; those of an EMBEDDING or LSTM stay as they are."""

LEAST_ZEROS = 0.3
"""Share of zeros from which on the converter encodes a tensor."""

GOOD_BLOCK = 16
"""Height of the blocks of `prune.block_size` whose zeros every mode can use."""

ADVICE = "quantize: none, or int8 with block_size: [16, 1] on Dense layers"
"""What can be encoded, for messages."""


@dataclass(frozen=True)
class Encoded:
    """Weights in the sparse encoding.

    Args:
        operator: TFLite's name of the operator that reads them.
        weights: their dtype.
        activations: dtype that the operator computes in.
        block: how many values along the inputs are stored together; 1 for single ones.
        inputs: how many inputs the operator has: the width of a row of weights.
    """

    operator: str
    weights: str
    activations: str
    block: int
    inputs: int

    def __str__(self) -> str:
        arrangement = f"in blocks of {self.block} inputs" if self.block > 1 else "with zeros that fill no blocks"
        return f"{self.weights} weights {arrangement}"


@dataclass(frozen=True)
class Fault:
    """Why encoded weights must not be.

    Args:
        effect: what happens, as a sentence without its subject and full stop.
        remedy: what to write in the recipe instead, as a sentence.
    """

    effect: str
    remedy: str


def fault(encoded: Encoded) -> Fault | None:
    """What the kernels do wrong with encoded weights; None where every kernel computes them right."""
    if encoded.activations not in (encoded.weights, "float32"):
        effect = f"no kernel computes {encoded.activations} activations with sparse {encoded.weights} weights right"
        return Fault(effect, f"Use {ADVICE}.")
    if encoded.weights.startswith("int") and encoded.activations == "float32":
        return Fault(_dynamic(encoded), f"Use {ADVICE}.")
    if encoded.operator != "FULLY_CONNECTED":
        return None
    if encoded.block > 1 and encoded.inputs % encoded.block:
        return Fault(
            f"its {encoded.inputs} inputs are no multiple of {encoded.block}, and the converter loses the weights of "
            "the last ones: wrong outputs on every kernel, without an error",
            "Leave the layer dense (a rule of the prune stage: skip: true), or give it a multiple of "
            f"{GOOD_BLOCK} inputs.",
        )
    if encoded.block > 1 and encoded.weights == "float16":
        return Fault("every kernel returns NaN or crashes", "Use quantize: none, or int8 with block_size: [16, 1].")
    if encoded.block == 1 and encoded.weights == "int8":
        return Fault(
            "XNNPACK refuses the file ('failed to delegate FULLY_CONNECTED node')",
            "Prune the layer in blocks of 16 inputs (block_size: [16, 1]), leave it dense (skip: true), or use "
            "quantize: none.",
        )
    return None


def _dynamic(encoded: Encoded) -> str:
    if encoded.block > 1:
        return "XNNPACK computes wrong outputs, without an error"
    return f"XNNPACK refuses the file ('failed to delegate {encoded.operator} node')"
