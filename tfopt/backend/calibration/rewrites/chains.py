"""Chains of weights between which the channels of an activation can be scaled without a change of the outputs.

Where a result y reaches a kernel W through functions with f(y / s) = f(y) / s for each s > 0, the weights that make y
are divided by s and the rows of W multiplied by it, with an s of its own for each channel.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.graph.connections import Graph
from tfopt.backend.graph.layers import leaf_layers
from tfopt.backend.types import Array

_LIMIT = 64.0
"""Largest factor of a channel: one that never fires would get any."""


@dataclass(frozen=True)
class Part:
    """A weight with the axes that run over the channels.

    Args:
        variable: the weight.
        axes: of the channels; two where a depthwise kernel makes several results of a channel.
    """

    variable: tf.Variable
    axes: tuple[int, ...]

    def times(self, values: Array, factors: Array) -> Array:
        """Values of the weight, with each channel multiplied by its factor.

        Args:
            values: in the shape of the weight.
            factors: (channels,); repeated where the weight reads the channels at many positions (Flatten).
        """
        sizes = [values.shape[axis] for axis in self.axes]
        along = np.tile(factors, int(np.prod(sizes)) // len(factors)).reshape(sizes)
        shape = [values.shape[axis] if axis in self.axes else 1 for axis in range(values.ndim)]
        product: Array = (values.astype(np.float64) * along.reshape(shape)).astype(values.dtype)
        return product

    def largest(self, values: Array, channels: int) -> Array:
        """The largest magnitude of each channel, (channels,), relative to that of the results it is a part of.

        A file has a scale for each result (output channel) of a kernel, so only sizes within one count.
        """
        magnitudes = np.abs(values.astype(np.float64))
        read = tuple(range(max(self.axes) + 1))  # axes of results come last in every kernel that reads
        peaks = magnitudes.max(axis=read, keepdims=True)
        relative = magnitudes / np.where(peaks > 0, peaks, 1)
        others = tuple(axis for axis in range(values.ndim) if axis not in self.axes)
        found: Array = relative.max(axis=others).reshape(-1, channels).max(axis=0)
        return found


@dataclass(frozen=True)
class Chain:
    """Weights that make an activation, and kernels that alone read it.

    Args:
        name: the layers, for people: `conv1 -> conv2`.
        tensor: the activation, a tensor of Keras, as the kernels read it: (..., channels), or flat.
        channels: how many.
        made_by: weights that are divided.
        read_by: kernels that are multiplied.
        channelwise: each channel has kernels of its own (depthwise), so that their sizes do not matter.
    """

    name: str
    tensor: tf.Tensor
    channels: int
    made_by: tuple[Part, ...]
    read_by: tuple[Part, ...]
    channelwise: bool = False

    def factors(self, activations: Array, kernels: Mapping[int, Array], moved: float) -> Array:
        """What each channel is divided by, (channels,): its size to the power of `moved`, over the size of the kernels
        that read it to the power of what is left.

        Args:
            activations: the largest magnitude of each channel.
            kernels: values of the kernels by the id of the variable.
            moved: share of the difference between channels that the kernels take over, from 0 to 1.
        """
        sizes = np.max([part.largest(kernels[id(part.variable)], self.channels) for part in self.read_by], axis=0)
        used = (activations > 0) & (sizes > 0)
        if not used.any():
            return np.ones(self.channels)
        share = 1.0 if self.channelwise else moved
        logs = share * np.log(np.where(used, activations, 1.0))
        logs -= 0.0 if self.channelwise else (1 - share) * np.log(np.where(used, sizes, 1.0))
        logs = np.where(used, logs - logs[used].mean(), 0.0)
        return np.exp(np.clip(logs, -np.log(_LIMIT), np.log(_LIMIT)))


@dataclass(frozen=True)
class Search:
    """What a search for chains found in one model.

    Args:
        chains: in the order of the graph.
        reasons: why other layers are in no chain, as sentences that begin with a layer.
    """

    chains: tuple[Chain, ...]
    reasons: tuple[str, ...]


def tied(model: tf_keras.Model) -> frozenset[int]:
    """Ids of the variables that more than one layer uses: scaled for one, they would be wrong for the others."""
    uses = Counter(id(variable) for layer in leaf_layers(model) for variable in layer.weights)
    return frozenset(variable for variable, count in uses.items() if count > 1)


def search(model: tf_keras.Model, kinds: Collection[type], chain: Callable[[Graph, str], Chain | str]) -> Search:
    """The chains of one functional model, without those that scale a weight of several layers.

    Layers of nested models are not entered.

    Args:
        model: built.
        kinds: classes of the layers with which a chain begins.
        chain: the one that begins with a layer, or why there is none.

    Raises:
        StageError: the connections of the layers are not known.
    """
    graph, several = Graph(model), tied(model)
    chains: list[Chain] = []
    reasons: list[str] = []
    for name, layer in graph.layers.items():
        if type(layer) not in kinds:
            continue
        found = chain(graph, name)
        if isinstance(found, str):
            reasons.append(f"{name}: {found}")
        elif not {id(part.variable) for part in (*found.made_by, *found.read_by)} & several:
            chains.append(found)
    return Search(tuple(chains), tuple(reasons))
