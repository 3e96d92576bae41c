"""Which layer costs an integer file its agreement: errors inside the file, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tf_keras

from tfopt.backend.graph.connections import Graph
from tfopt.backend.graph.layer_names import LayerNames
from tfopt.backend.quantization.canonical.flatten import FlatModel, flatten
from tfopt.backend.tflite.inner_tensors import inner_tensors
from tfopt.backend.types import Array

EXAMPLES = 8
_SHOWN = 5


@dataclass(frozen=True)
class LayerError:
    """How far the output of a layer in a file is from that of the model.

    Args:
        layer: its Keras name.
        kind: its type.
        error: root of the mean square of the difference, as a share of the range of the layer's output.
        before: the largest error of the layers that it reads.
    """

    layer: str
    kind: str
    error: float
    before: float

    def __str__(self) -> str:
        return (
            f"most of the difference arises in {self.layer} ({self.kind}): {self.error:.1%} of the range of its "
            f"output, {self.before:.1%} before it"
        )


def layer_errors(
    file: Path, model: tf_keras.Model, inputs: Mapping[str, Path], aliases: Mapping[str, str], work: Path
) -> list[LayerError]:
    """Layers whose output in a file differs most from what could be expected of their inputs; the worst first.

    Args:
        file: a `.tflite` made from the model, in integers.
        model: the float model.
        inputs: .npy file of (examples, ...) real values per input name.
        aliases: names of the layers of the model by those of the layers that compute them.
        work: folder for values.

    Returns:
        At most five; none where no tensor of the file belongs to a layer.

    Raises:
        ProcessCrashed, ProcessFailed: the file cannot be run.
        StageError: the model cannot be taken apart.
    """
    flat = flatten(model)
    graph = Graph(flat.model)
    tensors = inner_tensors(file, inputs, EXAMPLES, work)
    expected = _outputs(flat.model, inputs)
    names = LayerNames(expected, aliases)
    written: dict[str, list[Array]] = {}
    for name, values in tensors:
        for layer in {found for found, _ in names.mentioned(name)}:
            written.setdefault(layer, []).append(values)
    errors = {name: _error(values, written.get(name, [])) for name, values in expected.items()}
    known = {name: error for name, error in errors.items() if error is not None}
    found = [
        LayerError(*_original(flat, name), error, max(_before(graph, name, known), default=0.0))
        for name, error in known.items()
    ]
    found.sort(key=lambda one: one.before - one.error)
    return found[:_SHOWN]


def _outputs(model: tf_keras.Model, inputs: Mapping[str, Path]) -> dict[str, Array]:
    """Outputs of every layer with one float output, by its name; (examples, ...)."""
    layers = [
        layer
        for layer in model.layers
        if not isinstance(layer, tf_keras.layers.InputLayer) and len(layer._inbound_nodes) == 1 and _is_float(layer)
    ]
    examples = {name: np.load(file, mmap_mode="r")[:EXAMPLES] for name, file in inputs.items()}
    fed = next(iter(examples.values())) if len(examples) == 1 else examples
    outputs = tf_keras.Model(model.inputs, [layer.output for layer in layers])(fed, training=False)
    flat = outputs if isinstance(outputs, list | tuple) else [outputs]
    return {layer.name: np.asarray(values) for layer, values in zip(layers, flat, strict=True)}


def _is_float(layer: tf_keras.layers.Layer) -> bool:
    return hasattr(layer.output, "dtype") and layer.output.dtype.is_floating


def _error(expected: Array, candidates: Sequence[Array]) -> float | None:
    """Of the tensors of a layer with as many values as its output, the one that is nearest is its output."""
    spread = float(expected.max() - expected.min())
    fitting = [values for values in candidates if values.size == expected.size]
    if not fitting or spread == 0:
        return None
    return min(float(np.sqrt(np.mean((values.reshape(expected.shape) - expected) ** 2))) for values in fitting) / spread


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
