"""Loops kept apart from the rounding of what enters them.

A recurrent layer that TFLite runs as a loop (GRU, SimpleRNN, ConvLSTM, ...) and that directly reads a rounded tensor,
as where it is the first layer of the model, kills the converter when it is given calibration data (segmentation fault,
TensorFlow 2.21). With a Reshape between the two, even to the shape that is there, it converts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tf_keras import layers

from tfopt.backend.quantization.canonical.copying import copy_layer
from tfopt.backend.quantization.canonical.lstm_scales import is_lstm_operator
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.weights import named, ordered


class ReshapeBeforeLoop(Rewrite):
    title = ""

    def applies(self, site: RewriteSite) -> bool:
        layer = site.layer
        # The way back finds weights by name: those of two directions, or of stacked cells, have the same.
        return (
            _is_loop(layer)
            and len(named(layer)) == len(layer.weights)
            and len(site.inputs) == len(site.nodes)
            and all(map(_can_follow, site.inputs))
        )

    def replace(self, site: RewriteSite, inputs: Any, **kwargs: Any) -> Any:
        shape = [-1 if size is None else size for size in inputs.shape[1:]]
        apart = site.make("apart", lambda name: layers.Reshape(shape, name=name))
        again = site.make("", lambda name: copy_layer(site.layer, name), named(site.layer))
        return again(apart(inputs), **kwargs)

    def restore(self, site: RewriteSite, weights: Mapping[str, Mapping[str, np.ndarray]]) -> Sequence[np.ndarray]:
        return ordered(site.layer, weights[site.named()])


def _is_loop(layer: Any) -> bool:
    return isinstance(layer, layers.RNN) and not layer.stateful and not layer.unroll and not is_lstm_operator(layer)


def _can_follow(tensor: Any) -> bool:
    """Whether a tensor comes from something else than a Reshape, and can go through one."""
    return not isinstance(tensor.node.layer, layers.Reshape) and tensor.shape[1:].as_list().count(None) <= 1
