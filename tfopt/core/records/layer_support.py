"""What can be done with the layers of a model, found without training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FLOAT = "float: "
"""How `LayerPreflight.quantized` begins for a layer that stays float; the reason follows."""
REWRITTEN = ", rewritten: "
"""What follows in it where the layer is computed by others, before how."""


@dataclass(frozen=True)
class LayerPreflight:
    """What can be done with one layer.

    Args:
        name: Keras name.
        type: Keras layer type.
        parameters: number of weights.
        output_shape: without the batch axis, as text.
        prunable: None if `prune` would prune it, else why not.
        quantized: how qat treats it: `simulated`, `fused with NAME`, `after training` (by the converter only), or
            `float: REASON`. Where the layer is computed by others, `, rewritten: HOW` follows.
        macs: multiply-accumulate operations for one example, over all calls of the layer; None where they are not
            known.
        patterns: how the zeros of a prunable layer can be arranged: `element`, `block` (`block_size`), `2:4`
            (`sparsity_m_by_n`).
        clusterable: None if `cluster` would cluster it, else why not.
        operators: TFLite operators in the file that was looked at, in order (see `TrialConversion`); empty for a layer
            that leaves none of its own or is fused with another, None where no file was made.
        xnnpack_sparse: None if XNNPACK has a sparse kernel for it, else why not.
        micro: None if TFLite Micro has its operators, else which it lacks.
        edge_tpu: None if the Edge TPU takes its operators, else what stays on the processor.
        own_type: the user's class of the layer that it is inside of, where tfopt opened that; else None.
        below_8_bits: TFLite modes with weights below 8 bits that a kernel reads for it; None where only the conversion
            tells.
    """

    name: str
    type: str
    parameters: int
    output_shape: str
    prunable: str | None
    quantized: str
    macs: int | None = None
    patterns: tuple[str, ...] = ()
    clusterable: str | None = None
    operators: tuple[str, ...] | None = None
    xnnpack_sparse: str | None = None
    micro: str | None = None
    edge_tpu: str | None = None
    own_type: str | None = None
    below_8_bits: tuple[str, ...] | None = ()

    @property
    def shown_type(self) -> str:
        """Its type for tables: `Dense in Block` inside of a user's layer."""
        return self.type if self.own_type is None else f"{self.type} in {self.own_type}"

    @property
    def treatment(self) -> str:
        """What qat does with it, in one word or two, without names, reasons and rewrites."""
        how = self.quantized.split(REWRITTEN)[0]
        return next((word for word in ("fused", "float") if how.startswith(word)), how)


@dataclass(frozen=True)
class Totals:
    """The layers of a model, added up.

    Args:
        layers: how many.
        parameters: their weights.
        macs: multiply-accumulate operations for one example, over the layers where they are known.
        unknown_macs: names of the layers where they are not.
        prunable: weights of the layers that can be pruned.
        clusterable: weights of the layers that can be clustered.
        prunable_layers: layers that can be pruned.
        xnnpack_sparse: those of them for which XNNPACK has a sparse kernel.
        treatments: layers by what qat does with them.
        operators: how often a TFLite operator is expected.
        unknown_operators: names of the layers whose operators are not known before conversion.
        not_in_micro: names of the layers with operators that TFLite Micro lacks.
        not_on_edge_tpu: names of the layers that keep operators off the Edge TPU.
        below_8_bits: weights of the layers that have kernels for a mode with weights below 8 bits, by mode.
    """

    layers: int
    parameters: int
    macs: int
    unknown_macs: tuple[str, ...]
    prunable: int
    clusterable: int
    prunable_layers: int
    xnnpack_sparse: int
    treatments: Mapping[str, int]
    operators: Mapping[str, int]
    unknown_operators: tuple[str, ...]
    not_in_micro: tuple[str, ...]
    not_on_edge_tpu: tuple[str, ...]
    below_8_bits: Mapping[str, int]


def totals(layers: Sequence[LayerPreflight]) -> Totals:
    """Adds up the layers of a model."""
    return Totals(
        layers=len(layers),
        parameters=sum(layer.parameters for layer in layers),
        macs=sum(layer.macs or 0 for layer in layers),
        unknown_macs=tuple(layer.name for layer in layers if layer.macs is None),
        prunable=sum(layer.parameters for layer in layers if layer.prunable is None),
        clusterable=sum(layer.parameters for layer in layers if layer.clusterable is None),
        prunable_layers=sum(layer.prunable is None for layer in layers),
        xnnpack_sparse=sum(layer.prunable is None and layer.xnnpack_sparse is None for layer in layers),
        treatments=Counter(layer.treatment for layer in layers),
        operators=Counter(operator for layer in layers for operator in layer.operators or ()),
        unknown_operators=tuple(layer.name for layer in layers if layer.operators is None),
        not_in_micro=tuple(layer.name for layer in layers if layer.micro is not None),
        not_on_edge_tpu=tuple(layer.name for layer in layers if layer.edge_tpu is not None),
        below_8_bits=_weights_by_mode(layers),
    )


def _weights_by_mode(layers: Sequence[LayerPreflight]) -> dict[str, int]:
    found: dict[str, int] = {}
    for layer in layers:
        for mode in layer.below_8_bits or ():
            found[mode] = found.get(mode, 0) + layer.parameters
    return found
