"""New values of weights, with which a model computes the same and its integer file loses less."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import tensorflow as tf
import tf_keras

from tfopt.backend.calibration.rewrites.chains import Chain, Search
from tfopt.backend.calibration.rewrites.channel_ranges import largest_in_channels, with_nested
from tfopt.backend.calibration.rewrites.equalization import equalization_chains
from tfopt.backend.calibration.rewrites.smoothing import smoothing_chains
from tfopt.backend.types import Array, Nested
from tfopt.core.config.files.calibration import Calibration

_EXAMPLES = 64
"""Examples that the sizes of channels are measured on; more moved no factor by a tenth."""
_EQUALIZED = 0.5
"""Share of the difference between channels that the kernel takes over: the square root of the paper."""


@dataclass(frozen=True)
class WeightChanges:
    """New values of weights of a model.

    Args:
        values: weights and their new values.
        names: the chains that were scaled, for people.
    """

    values: tuple[tuple[tf.Variable, Array], ...]
    names: tuple[str, ...]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Gives the weights their new values for as long as the context lasts."""
        before = [(variable, variable.numpy()) for variable, _ in self.values]
        try:
            for variable, values in self.values:
                variable.assign(values)
            yield
        finally:
            for variable, values in before:
                variable.assign(values)


NO_CHANGES = WeightChanges((), ())
"""The weights as they are."""


def searches(model: tf_keras.Model, *, smooth: bool) -> list[Search]:
    """The chains of a model and of those nested in it.

    Raises:
        StageError: the connections of the layers are not known.
    """
    find = smoothing_chains if smooth else equalization_chains
    return [find(inside) for inside in with_nested(model)]


def weight_changes(model: tf_keras.Model, calibration: Calibration, inputs: Nested) -> WeightChanges:
    """The new weights that a calibration asks for.

    Args:
        model: a float model; it is not changed.
        calibration: whether to equalize, and how much to smooth.
        inputs: examples as the model takes them.

    Raises:
        StageError: the connections of the layers are not known.
    """
    shares: list[tuple[Chain, float]] = []
    if calibration.equalize:
        shares += [(chain, _EQUALIZED) for search in searches(model, smooth=False) for chain in search.chains]
    if calibration.smooth is not None:
        shares += [(chain, calibration.smooth) for search in searches(model, smooth=True) for chain in search.chains]
    chains = [chain for chain, _ in shares]
    variables = _variables(chains)
    before = {id(variable): variable.numpy() for variable in variables}
    after = dict(before)
    few = tf.nest.map_structure(lambda values: values[:_EXAMPLES], inputs)
    for (chain, share), activations in zip(shares, largest_in_channels(model, chains, few), strict=True):
        factors = chain.factors(activations, before, share)
        for part in chain.made_by:
            after[id(part.variable)] = part.times(after[id(part.variable)], 1 / factors)
        for part in chain.read_by:
            after[id(part.variable)] = part.times(after[id(part.variable)], factors)
    values = tuple((variable, after[id(variable)]) for variable in variables)
    return WeightChanges(values, tuple(chain.name for chain in chains))


def _variables(chains: Sequence[Chain]) -> list[tf.Variable]:
    parts = [part for chain in chains for part in (*chain.made_by, *chain.read_by)]
    return [*{id(part.variable): part.variable for part in parts}.values()]
