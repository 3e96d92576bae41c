"""A model in the form that tfmot can simulate fully, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tf_keras

from tfopt.backend.graph.connections import Graph
from tfopt.backend.quantization.canonical.copying import copy_model
from tfopt.backend.quantization.canonical.engine import Round, rewrite
from tfopt.backend.quantization.canonical.equality import check_equal
from tfopt.backend.quantization.canonical.flatten import Flat, Origin, flatten, walk
from tfopt.backend.quantization.canonical.passes import PASSES
from tfopt.backend.quantization.canonical.rewrite import Rewrite
from tfopt.backend.quantization.canonical.weights import LayerWeights


@dataclass(frozen=True)
class Rewritten:
    """One layer of the original that is computed by others.

    Args:
        layer: its Keras name.
        titles: what was done, in order.
        made: names of the layers that compute it now.
    """

    layer: str
    titles: tuple[str, ...]
    made: tuple[str, ...]


@dataclass(frozen=True)
class Canonical:
    """A model as it is quantized: without nested models, and with every layer computed by layers that tfmot simulates.

    Args:
        original: the model it was made of.
        model: functional; computes the same, and shares no variable with the original.
        origins: by name of a layer of `model`, the layer of the original that it stands for.
        rewrites: the layers of the original that are computed by others.
    """

    original: tf_keras.Model
    model: tf_keras.Model
    origins: Mapping[str, Origin]
    rewrites: tuple[Rewritten, ...]
    _flat: Flat
    _rounds: tuple[Round, ...]

    @property
    def names(self) -> dict[str, str]:
        """By name of a layer of `model`, the Keras name of the original layer."""
        return {name: origin.name for name, origin in self.origins.items()}

    @property
    def all_origins(self) -> tuple[Origin, ...]:
        """The layers of the original, those that nothing stands for any more included, in the order of the graph."""
        return tuple(self._flat.origins.values())

    def restored(self, weights: LayerWeights) -> tf_keras.Model:
        """A new model like the original, with weights computed from those of the canonical one.

        Args:
            weights: of every layer of `model`.
        """
        for done in reversed(self._rounds):
            weights = done.restore(weights)
        copy = copy_model(self.original)
        for path, layer in walk(copy):
            if path in self._flat.paths and layer.weights:
                layer.set_weights(weights[self._flat.paths[path]])
        return copy


def canonicalize(model: tf_keras.Model, passes: Sequence[Sequence[Rewrite]] = PASSES) -> Canonical:
    """Brings a model into canonical form; the model is not changed, and the same model always gives the same form.

    Args:
        model: functional, or a built Sequential.
        passes: rewrites in groups; each group is applied until no layer is left for it, before the next one is.

    Raises:
        StageError: the connections of the layers are not known, a layer cannot be cloned, or the rewritten model
            answers differently.
    """
    Graph(model)
    flat = flatten(model)
    steps = [(model, flat.model, flat.tensors)]
    rounds: list[Round] = []
    current = flat.model
    for rewrites in passes:
        while (done := rewrite(current, rewrites)) is not None:
            rounds.append(done)
            steps.append((current, done.after, done.tensors))
            current = done.after
    check_equal(model, current, steps)
    made = _made(flat, rounds)
    origins = {name: flat.origins[before] for before, names in made.items() for name in names}
    return Canonical(model, current, origins, _rewritten(flat, rounds, made), flat, tuple(rounds))


def _made(flat: Flat, rounds: Sequence[Round]) -> dict[str, tuple[str, ...]]:
    """Names of the last model's layers by name of the flat one's."""
    made = {name: (name,) for name in flat.origins}
    for done in rounds:
        made = {before: tuple(new for name in names for new in done.made(name)) for before, names in made.items()}
    return made


def _rewritten(flat: Flat, rounds: Sequence[Round], made: Mapping[str, tuple[str, ...]]) -> tuple[Rewritten, ...]:
    found = []
    for name, origin in flat.origins.items():
        titles: dict[str, None] = {}
        names: Sequence[str] = (name,)
        for done in rounds:
            titles.update(dict.fromkeys(done.chosen[one].title for one in names if one in done.chosen))
            names = [new for one in names for new in done.made(one)]
        titles.pop("", None)
        if titles:
            found.append(Rewritten(origin.name, tuple(titles), made[name]))
    return tuple(found)


def initial_weights(canonical: Canonical) -> dict[str, list[np.ndarray]]:
    """Weights of the canonical model as it was made; what `Canonical.restored` takes back to the original's."""
    return {layer.name: layer.get_weights() for layer in canonical.model.layers}
