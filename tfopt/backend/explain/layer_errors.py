"""How far the output of each layer inside a file is from that of the Keras model, on the same examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import tf_keras

from tfopt.backend.explain.differences import Difference, difference
from tfopt.backend.graph.connections import Graph
from tfopt.backend.graph.layer_names import LayerNames
from tfopt.backend.quantization.canonical.flatten import FlatModel, flatten
from tfopt.backend.tflite.inner_tensors import inner_tensors
from tfopt.backend.types import Array
from tfopt.core.records.explanation import LayerErrorRecord

EXAMPLES = 8


def layer_errors(
    file: Path,
    model: tf_keras.Model,
    inputs: Mapping[str, Path],
    aliases: Mapping[str, str],
    work: Path,
    examples: int = EXAMPLES,
) -> list[LayerErrorRecord]:
    """Errors of the layers whose output is in a file, in the order of the network.

    A layer that the converter joined with the next one has no tensor of its own and no entry: the joined tensor counts
    for the layer whose output is nearest to it.

    Args:
        file: a `.tflite` made from the model.
        model: the float model.
        inputs: .npy file of (examples, ...) real values per input name.
        aliases: names of the layers of the model by those of the layers that compute them.
        work: folder for values.
        examples: how many examples to run.

    Raises:
        ProcessCrashed, ProcessFailed: the file cannot be run.
        StageError: the model cannot be taken apart.
    """
    flat = flatten(model)
    expected = _outputs(flat.model, inputs, examples)
    nearest: dict[str, tuple[str, Difference]] = {}
    names = LayerNames(expected, aliases)
    tensors = inner_tensors(file, inputs, examples, work)
    for tensor, values in tensors:
        found = _nearest(values, {layer for layer, _ in names.mentioned(tensor)}, expected)
        if found is not None:
            layer, error = found
            if layer not in nearest or error.relative_error < nearest[layer][1].relative_error:
                nearest[layer] = (tensor, error)
    # The converter drops the name of the layer that makes an output of the model: of a Dense with softmax, only what is
    # before the softmax has its name.
    for name in {*flat.model.output_names} & {*expected}:
        for tensor, values in tensors:
            if names.of(tensor) is None and values.size == expected[name].size:
                error = difference(values, expected[name])
                if name not in nearest or error.relative_error < nearest[name][1].relative_error:
                    nearest[name] = (tensor, error)
    return [*_records(flat, expected, nearest)]


def worst(errors: Sequence[LayerErrorRecord], limit: int = 5) -> list[LayerErrorRecord]:
    """The layers in which most of the difference arises, that with the most first."""
    return sorted(errors, key=lambda one: one.arising, reverse=True)[:limit]


def sentence(error: LayerErrorRecord) -> str:
    """Where most of the difference arises."""
    return (
        f"most of the difference arises in {error.layer} ({error.type}): {error.relative_error:.1%} of the range of "
        f"its output, {error.before:.1%} before it"
    )


def _nearest(values: Array, layers: set[str], expected: Mapping[str, Array]) -> tuple[str, Difference] | None:
    """Of the layers that a tensor is named after, the one whose output it is."""
    errors = {layer: difference(values, expected[layer]) for layer in layers if expected[layer].size == values.size}
    fitting = {layer: error for layer, error in errors.items() if np.ptp(expected[layer]) > 0}
    return min(fitting.items(), key=lambda item: (item[1].relative_error, item[0]), default=None)


def _records(
    flat: FlatModel, expected: Mapping[str, Array], nearest: Mapping[str, tuple[str, Difference]]
) -> Iterator[LayerErrorRecord]:
    graph = Graph(flat.model)
    known = {name: error.relative_error for name, (_, error) in nearest.items()}
    for name in expected:
        if name in nearest:
            (tensor, error), (layer, kind) = nearest[name], _original(flat, name)
            yield LayerErrorRecord(
                layer=layer,
                type=kind,
                tensor=tensor,
                sqnr_db=error.sqnr_db,
                cosine=error.cosine,
                max_error=error.max_error,
                relative_error=error.relative_error,
                before=max(_before(graph, name, known), default=0.0),
            )


def _outputs(model: tf_keras.Model, inputs: Mapping[str, Path], examples: int) -> dict[str, Array]:
    """Outputs of every layer with one float output, by its name, in the order of the network; (examples, ...)."""
    layers = [
        layer
        for layer in model.layers
        if not isinstance(layer, tf_keras.layers.InputLayer) and len(layer._inbound_nodes) == 1 and _is_float(layer)
    ]
    arrays = [np.load(file, mmap_mode="r")[:examples] for file in inputs.values()]  # in the order of the model
    fed = arrays[0] if len(arrays) == 1 else arrays
    outputs = tf_keras.Model(model.inputs, [layer.output for layer in layers])(fed, training=False)
    flat = outputs if isinstance(outputs, list | tuple) else [outputs]
    return {layer.name: np.asarray(values) for layer, values in zip(layers, flat, strict=True)}


def _is_float(layer: tf_keras.layers.Layer) -> bool:
    return hasattr(layer.output, "dtype") and layer.output.dtype.is_floating


def _before(graph: Graph, name: str, known: Mapping[str, float]) -> list[float]:
    """Errors of the nearest layers before a layer of which one is known."""
    found: list[float] = []
    seen: set[str] = set()
    waiting = list(graph.producers(name))
    while waiting:
        producer = waiting.pop()
        if producer in seen:
            continue
        seen.add(producer)
        if producer in known:
            found.append(known[producer])
        else:
            waiting += graph.producers(producer)
    return found


def _original(flat: FlatModel, name: str) -> tuple[str, str]:
    original = flat.original_of[name]
    within = original.within[-1] if original.within else None
    return original.name, original.kind if within is None else f"{original.kind} in {within[1]}"
