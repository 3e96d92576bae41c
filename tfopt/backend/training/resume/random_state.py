"""Random numbers that a checkpoint can hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf
import tf_keras

from tfopt.backend.compat.keras_random import RandomGenerator


@contextmanager
def restorable(model: tf_keras.Model, seed: int) -> Iterator[list[tf.Variable]]:
    """Lets the random layers of a model (dropout, noise, ...) draw from generators whose state is a variable.

    By default tf_keras draws from stateful operators whose position in the random stream lives inside TensorFlow's
    kernels: it can be neither saved nor restored, so a resumed run would see other dropout masks. Generators are put in
    place for the time of training only; the layers' configs stay as they are.

    Args:
        model: the model in training.
        seed: the same seed gives the same numbers.

    Yields:
        The state of each generator, in a fixed order.
    """
    random = _generators(model)
    before = [(one._rng_type, one._built, getattr(one, "_generator", None)) for one in random]
    for index, one in enumerate(random):
        one._generator = tf.random.Generator.from_seed([seed, index], alg="philox")
        one._rng_type = RandomGenerator.RNG_STATEFUL
        one._built = True
    try:
        yield [one._generator.state for one in random]
    finally:
        for one, (rng_type, built, generator) in zip(random, before, strict=True):
            del one._generator
            one._rng_type, one._built, one._generator = rng_type, built, generator


def _generators(model: tf_keras.Model) -> list[RandomGenerator]:
    found = (getattr(module, "_random_generator", None) for module in model.submodules)
    return list({id(one): one for one in found if isinstance(one, RandomGenerator)}.values())
