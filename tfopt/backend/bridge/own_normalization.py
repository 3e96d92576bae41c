"""Layers that compute a layer or RMS normalization, recognized by what they compute.

Mean, variance, a root and a quotient can be written in many ways. Each of them is one LayerNormalization of Keras, or
one RMSNormalization of tfopt, which the stages know how to compute in 8 bits.
"""

from __future__ import annotations

from itertools import permutations

import keras
import numpy as np
import tf_keras

from tfopt.backend.bridge.layer_mapping import NoEquivalent
from tfopt.backend.bridge.reading.graph import Call
from tfopt.backend.layers import RMSNormalization
from tfopt.backend.types import Array
from tfopt.catalog.guard import guarded
from tfopt.errors import StageError

_EPSILONS = (1e-3, 1e-5, 1e-6, 1e-7, 1e-8, 1e-12)
_SCALES = (1.0, 1e-2, 3e-4)
"""Of the inputs that are tried: small ones tell the epsilons apart."""
_OFFSETS = (0.0, 1.0)
"""What is added to the scale of an RMS normalization: 1 where it begins at 0 (Gemma)."""
_LENGTH = 5
_TOLERANCE = 2e-5


def own_normalization(call: Call) -> tuple[tf_keras.layers.Layer, dict[str, str]]:
    """The LayerNormalization or RMSNormalization that computes what a layer of another class computes.

    Args:
        call: of the layer, on one tensor.

    Returns:
        The tf_keras layer, and the attribute of the other layer for each of `gamma` and `beta`, or for `scale`.

    Raises:
        NoEquivalent: there is none.
    """
    layer = call.operation
    weights = {name: value for name, value in vars(layer).items() if isinstance(value, keras.Variable)}
    if len(call.inputs) != 1 or call.kwargs or not _may_be_one(layer, weights, call.inputs[0]):
        raise NoEquivalent("it is no layer normalization")
    try:
        return guarded(lambda: _found(layer, weights, call.inputs[0]), f"Running {layer.name!r}")
    except StageError as error:
        raise NoEquivalent(f"it cannot be run by itself ({error})") from error


def _may_be_one(layer: keras.Operation, weights: dict[str, keras.Variable], tensor: keras.KerasTensor) -> bool:
    width = tensor.shape[-1]
    plain = not layer._flatten_layers(include_self=False) and not layer._seed_generators
    plain = plain and layer.activity_regularizer is None
    shapes = all(
        tuple(w.shape) == (width,) and w.trainable and w.regularizer is w.constraint is None for w in weights.values()
    )
    known = len(weights) == len(layer.weights) <= 2
    return plain and known and shapes and width is not None and len(tensor.shape) >= 2 and width > 1


def _found(
    layer: keras.Operation, weights: dict[str, keras.Variable], tensor: keras.KerasTensor
) -> tuple[tf_keras.layers.Layer, dict[str, str]]:
    before = {name: np.array(variable.value) for name, variable in weights.items()}
    random = np.random.RandomState(0)
    shape = (3, *(_LENGTH if size is None else size for size in tensor.shape[1:]))
    inputs = [(scale * random.normal(0.5, 1, shape)).astype(np.float32) for scale in _SCALES]
    try:
        for variable in weights.values():
            variable.assign(random.uniform(0.5, 1.5, variable.shape))
        values = {name: np.array(variable.value) for name, variable in weights.items()}
        outputs = [np.asarray(layer(one)) for one in inputs]
    finally:
        for name, variable in weights.items():
            variable.assign(before[name])
    for epsilon in _candidates(layer):
        for roles in _roles(tuple(weights)):
            parts = {role: values[name] for role, name in roles.items()}
            if all(_same(_normalized(one, epsilon, parts), out) for one, out in zip(inputs, outputs, strict=True)):
                options = {"center": "beta" in roles, "scale": "gamma" in roles, "trainable": layer.trainable}
                return tf_keras.layers.LayerNormalization(axis=-1, epsilon=epsilon, **options), roles
        for offset in _OFFSETS if len(weights) == 1 else ():
            ((name, scale),) = values.items()
            expected = [_over_root_mean_square(one, epsilon, scale + offset) for one in inputs]
            if all(map(_same, expected, outputs)):
                return RMSNormalization(epsilon, offset, trainable=layer.trainable), {"scale": name}
    raise NoEquivalent("it is no layer normalization")


def _candidates(layer: object) -> list[float]:
    """Epsilons to try: numbers that the layer holds, then the usual ones."""
    held = [value for value in vars(layer).values() if isinstance(value, float) and 0 < value <= 0.1]
    return list(dict.fromkeys([*held, *_EPSILONS]))


def _roles(names: tuple[str, ...]) -> list[dict[str, str]]:
    roles = ("gamma", "beta")
    return [dict(zip(chosen, names, strict=True)) for chosen in permutations(roles, len(names))]


def _normalized(values: Array, epsilon: float, parts: dict[str, Array]) -> Array:
    exact = values.astype(np.float64)
    centered = exact - exact.mean(-1, keepdims=True)
    normal = centered / np.sqrt((centered**2).mean(-1, keepdims=True) + epsilon)
    return normal * parts.get("gamma", 1.0) + parts.get("beta", 0.0)


def _over_root_mean_square(values: Array, epsilon: float, scale: Array) -> Array:
    exact = values.astype(np.float64)
    return exact / np.sqrt((exact**2).mean(-1, keepdims=True) + epsilon) * scale


def _same(expected: Array, found: Array) -> bool:
    return expected.shape == found.shape and bool(np.abs(expected - found).max() <= _TOLERANCE * np.abs(expected).max())
