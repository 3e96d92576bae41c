"""One row per layer of a model: can it be pruned, clustered, quantized, converted? Found without training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import tf_keras

from tfopt.backend import quantization
from tfopt.backend.clustering.eligibility import reason_not_clusterable
from tfopt.backend.graph.calls import Call, calls
from tfopt.backend.graph.layers import layer_type, leaf_layers, own_types
from tfopt.backend.graph.macs import macs
from tfopt.backend.graph.not_convertible import reason_not_convertible
from tfopt.backend.graph.saved_model_layer import SavedModelLayer, reason_without_layers
from tfopt.backend.pruning.eligibility import reason_no_sparse_kernel, reason_not_prunable, reason_pattern_impossible
from tfopt.backend.quantizer.layer_weights import modes_below_8_bits
from tfopt.backend.types import Shape
from tfopt.core.config.pruning import Pattern
from tfopt.core.config.quantization import Quantization
from tfopt.core.contracts.trial import TrialConversion
from tfopt.core.records.layer_support import FLOAT, LayerPreflight
from tfopt.core.targets import edge_tpu, tflite_micro

PATTERNS = {
    "element": Pattern(),
    "block": Pattern(block_size=(4, 1)),
    "2:4": Pattern(sparsity_m_by_n=(2, 4)),
}
"""Patterns of zeros by name."""
_BARE = "a SavedModel without Keras layers is converted as it is, and neither trained nor changed"
UNKNOWN = "its operators are known only after conversion"
"""What targets support, where no trial conversion was made or the converter refused it."""


def layers(model: tf_keras.Model) -> tuple[LayerPreflight, ...]:
    """One row per layer, nested layers included, in the order of the model; operators are not known yet.

    Args:
        model: built, without wrappers.

    Raises:
        StageError: the connections of the layers are not known.
    """
    bare = reason_without_layers(model) is not None
    quantized = {} if bare else quantization.layer_treatments(model, Quantization())
    own = own_types(model)
    found: dict[int, list[Call]] = {}
    for call in calls(model):
        found.setdefault(id(call.layer), []).append(call)
    return tuple(
        _row(layer, found.get(id(layer), []), quantized.get(layer.name, "after training"), own.get(layer.name))
        for layer in leaf_layers(model)
    )


def with_operators(rows: Sequence[LayerPreflight], file: TrialConversion) -> tuple[LayerPreflight, ...]:
    """The rows of `layers` with the operators that a trial conversion found, and what targets make of them.

    Args:
        rows: of the model that was converted.
        file: a trial that was not refused.
    """
    return tuple(_with_operators(row, file.layers.get(row.name, ())) for row in rows)


def _with_operators(row: LayerPreflight, becomes: tuple[str, ...]) -> LayerPreflight:
    micro, edge = row.micro, row.edge_tpu
    if micro == UNKNOWN:
        micro = _lacking("TFLite Micro has no", becomes, tflite_micro.missing)
    if edge == UNKNOWN:
        edge = _lacking("the Edge TPU has no", becomes, edge_tpu.missing)
    return replace(row, operators=becomes, micro=micro, edge_tpu=edge)


def _row(layer: tf_keras.layers.Layer, at: Sequence[Call], quantized: str, own_type: str | None) -> LayerPreflight:
    bare = _BARE if isinstance(layer, SavedModelLayer) else None
    prunable = bare or reason_not_prunable(layer)
    refused = reason_not_convertible(layer)
    return LayerPreflight(
        name=layer.name,
        type=layer_type(layer),
        own_type=own_type,
        parameters=layer.count_params(),
        output_shape=_format(at[0].output) if at else "?",
        prunable=prunable,
        quantized=quantized,
        macs=_macs(layer, at),
        patterns=()
        if prunable
        else tuple(name for name in PATTERNS if not reason_pattern_impossible(layer, PATTERNS[name])),
        clusterable=bare or reason_not_clusterable(layer),
        xnnpack_sparse=prunable or reason_no_sparse_kernel(layer),
        below_8_bits=None if bare else modes_below_8_bits(layer),
        micro=refused or UNKNOWN,
        edge_tpu=refused or _not_on_edge_tpu(layer, quantized),
    )


def _macs(layer: tf_keras.layers.Layer, at: Sequence[Call]) -> int | None:
    counts = [macs(layer, call.inputs, call.output) for call in at]
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None


def _not_on_edge_tpu(layer: tf_keras.layers.Layer, quantized: str) -> str:
    if quantized.startswith(FLOAT):
        return f"stays {quantized}"
    if isinstance(layer, tf_keras.layers.PReLU) and len(layer.alpha.shape) > 1 and layer.alpha.shape[:-1] != (1, 1):
        return "PRELU needs one slope per channel: PReLU(shared_axes=[1, 2])"
    return UNKNOWN


def _lacking(sentence: str, becomes: Sequence[str], missing: Callable[[Iterable[str]], tuple[str, ...]]) -> str | None:
    found = missing(becomes)
    return f"{sentence} {', '.join(found)}" if found else None


def _format(shape: Shape) -> str:
    return " x ".join("?" if size is None else str(size) for size in shape[1:])
