"""SmoothQuant: chains of a LayerNormalization and the Dense and attention layers that alone read it.

From Xiao et al. 2023, "SmoothQuant: Accurate and Efficient Post-Training Quantization for Large Language Models"
(arXiv:2211.10438). A few channels after a LayerNormalization can be much larger than the others, which then share few
of the 256 values; kernels have a scale for each result and bear a part of the difference.
"""

from __future__ import annotations

from collections.abc import Iterator

import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.bridge.zeroing import ZeroingMultiHeadAttention
from tfopt.backend.calibration.rewrites.chains import Chain, Part, Search, search
from tfopt.backend.graph.connections import Graph
from tfopt.backend.graph.layers import layer_type, nodes

_PASSES = (layers.Dropout, layers.SpatialDropout1D, layers.ActivityRegularization)


def smoothing_chains(model: tf_keras.Model) -> Search:
    """The chains of one functional model, as `search` finds them."""
    return search(model, (layers.LayerNormalization,), _chain)


def _chain(graph: Graph, name: str) -> Chain | str:
    norm = graph.layers[name]
    if graph.is_shared(name):
        return "it is called several times"
    axis = norm.axis if isinstance(norm.axis, int) else norm.axis[-1] if len(norm.axis) == 1 else None
    tensor = tf.nest.flatten(norm.get_output_at(0))[0]
    if norm.gamma is None or axis not in (-1, len(tensor.shape) - 1):
        return "it has no scale for each channel of the last axis"
    readers = [*_readers(graph, name)]
    if not readers:
        return "no layer reads it"
    parts: list[Part] = []
    for reader in dict.fromkeys(readers):
        if reader is None:
            return "its result is an output of the model"
        found = _kernels(graph, reader, name)
        if isinstance(found, str):
            return found
        parts += found
    made_by = tuple(Part(weight, (0,)) for weight in (norm.gamma, norm.beta) if weight is not None)
    names = ", ".join(str(reader) for reader in dict.fromkeys(readers))
    return Chain(f"{name} -> {names}", tensor, int(tensor.shape[-1]), made_by, tuple(parts))


def _readers(graph: Graph, name: str) -> Iterator[str | None]:
    """Names of the layers that read a result, through layers that do nothing after training; None for an output."""
    if graph.is_output(name):
        yield None
    for consumer in graph.consumers(name):
        if type(graph.layers[consumer]) in _PASSES and not graph.is_shared(consumer):
            yield from _readers(graph, consumer)
        else:
            yield consumer


def _kernels(graph: Graph, reader: str, norm: str) -> list[Part] | str:
    """The kernels of a layer that multiply the result of a LayerNormalization; a sentence where it does more."""
    layer = graph.layers[reader]
    if graph.is_shared(reader):
        return f"{reader}, which reads it, is called several times"
    if type(layer) is layers.Dense:
        return [Part(layer.kernel, (0,))]
    if type(layer) in (layers.MultiHeadAttention, ZeroingMultiHeadAttention):
        sources = {_source(graph, tensor) for tensor in _floats(graph, reader)}
        if sources != {norm}:
            return f"{reader}, which reads it, reads something else too"
        return [Part(weight, (0,)) for weight in layer.weights if _is_projection(weight)]
    return f"{reader} ({layer_type(layer)}) reads it too; only Dense and MultiHeadAttention have kernels to scale"


def _floats(graph: Graph, name: str) -> list[tf.Tensor]:
    """The float tensors that a layer is called with; masks are none."""
    return [
        tensor
        for node in nodes(graph.model)
        if node.layer.name == name
        for tensor in node.keras_inputs
        if tensor.dtype.is_floating
    ]


def _source(graph: Graph, tensor: tf.Tensor) -> str:
    """The layer that makes a tensor, before layers that do nothing after training."""
    layer = tensor._keras_history.layer
    while type(layer) in _PASSES:
        layer = graph.layers[graph.producers(layer.name)[0]]
    name: str = layer.name
    return name


def _is_projection(weight: tf.Variable) -> bool:
    """Whether a weight of attention is the kernel of query, key or value: `.../query/kernel:0`."""
    parts = weight.name.split("/")
    return len(parts) > 1 and parts[-2] in ("query", "key", "value") and parts[-1].startswith("kernel")
