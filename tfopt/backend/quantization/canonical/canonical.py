"""A model in the form that tfmot can simulate completely, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import tf_keras

from tfopt.backend.graph.connections import Graph
from tfopt.backend.quantization.canonical.copying import copy_model
from tfopt.backend.quantization.canonical.engine import RewriteStep, apply_rewrites
from tfopt.backend.quantization.canonical.equality import check_equal
from tfopt.backend.quantization.canonical.flatten import FlatModel, OriginalLayer, flatten, flattened_layers
from tfopt.backend.quantization.canonical.masks.explicit import explicit_masks
from tfopt.backend.quantization.canonical.passes import PASSES
from tfopt.backend.quantization.canonical.rewrite import Rewrite
from tfopt.backend.quantization.canonical.weights import LayerWeights
from tfopt.backend.types import Array, Shape


@dataclass(frozen=True)
class RewrittenLayer:
    """A layer of the original that is computed by other layers.

    Args:
        layer: its Keras name.
        titles: the rewrites that were applied, in order.
        new_layers: names of the layers that compute it.
    """

    layer: str
    titles: tuple[str, ...]
    new_layers: tuple[str, ...]


@dataclass(frozen=True)
class Canonical:
    """A model as it is quantized: without nested models, and computed by layers that tfmot can simulate.

    Args:
        original: the model as the user wrote it.
        model: functional; has the same outputs, and shares no variable with the original.
        original_of: by name of a layer of `model`, the layer of the original that it computes.
        rewrites: the layers of the original that are computed by other layers.
    """

    original: tf_keras.Model
    model: tf_keras.Model
    original_of: Mapping[str, OriginalLayer]
    rewrites: tuple[RewrittenLayer, ...]
    _flat: FlatModel
    _steps: tuple[RewriteStep, ...]

    @property
    def original_names(self) -> dict[str, str]:
        """By name of a layer of `model`, the Keras name of the original layer."""
        return {name: original.name for name, original in self.original_of.items()}

    @property
    def original_layers(self) -> tuple[OriginalLayer, ...]:
        """All layers of the original in the order of the graph, those without a layer in `model` included."""
        return tuple(self._flat.original_of.values())

    def restored(self, weights: LayerWeights) -> tf_keras.Model:
        """A new model like the original, with weights computed from those of the canonical one.

        Args:
            weights: of every layer of `model`.
        """
        for step in reversed(self._steps):
            weights = step.restore(weights)
        copy = copy_model(self.original)
        for path, layer in flattened_layers(copy):
            if path in self._flat.paths and layer.weights:
                layer.set_weights(weights[self._flat.paths[path]])
        return copy


def canonicalize(
    model: tf_keras.Model,
    passes: Sequence[Sequence[Rewrite]] = PASSES,
    shapes: Mapping[str, Shape] = MappingProxyType({}),
) -> Canonical:
    """Brings a model into canonical form; the model is not changed, and the form is always the same.

    Masks become tensors first (`masks`), since every rewrite, and tfmot's wrappers, would lose them.

    Args:
        model: functional, or a built Sequential.
        passes: groups of rewrites; each is applied until none of its rewrites applies, before the next one is.
        shapes: of one example, by name of an input that gets a different shape than in `model`.

    Raises:
        StageError: the connections of the layers are not known, a layer cannot be cloned, or the outputs of the
            rewritten model differ.
    """
    Graph(model)
    flat = flatten(model, shapes)
    rebuilt = [(model, flat.model, flat.tensors)]
    steps: list[RewriteStep] = []
    current = flat.model
    if (masked := explicit_masks(current)) is not None:
        steps.append(masked)
        rebuilt.append((current, masked.after, masked.tensors))
        current = masked.after
    for rewrites in passes:
        while (step := apply_rewrites(current, rewrites)) is not None:
            steps.append(step)
            rebuilt.append((current, step.after, step.tensors))
            current = step.after
    check_equal(model, current, rebuilt)
    new_layers = _new_layers(flat, steps)
    original_of = {name: flat.original_of[before] for before, names in new_layers.items() for name in names}
    return Canonical(model, current, original_of, _rewritten(flat, steps, new_layers), flat, tuple(steps))


def _new_layers(flat: FlatModel, steps: Sequence[RewriteStep]) -> dict[str, tuple[str, ...]]:
    """By name of a layer of the flat model, the layers of the last model that compute it."""
    found: dict[str, tuple[str, ...]] = {name: (name,) for name in flat.original_of}
    for step in steps:
        found = {
            before: tuple(new for name in names for new in step.new_layers(name)) for before, names in found.items()
        }
    return found


def _rewritten(
    flat: FlatModel, steps: Sequence[RewriteStep], new_layers: Mapping[str, tuple[str, ...]]
) -> tuple[RewrittenLayer, ...]:
    found = []
    for name, original in flat.original_of.items():
        titles: dict[str, None] = {}
        names: Sequence[str] = (name,)
        for step in steps:
            titles.update(dict.fromkeys(step.title(one) for one in names))
            names = [new for one in names for new in step.new_layers(one)]
        titles.pop("", None)
        if titles:
            found.append(RewrittenLayer(original.name, tuple(titles), new_layers[name]))
    return tuple(found)


def initial_weights(canonical: Canonical) -> dict[str, list[Array]]:
    """Weights of the canonical model before training; `Canonical.restored` computes the original's from them."""
    return {layer.name: layer.get_weights() for layer in canonical.model.layers}
