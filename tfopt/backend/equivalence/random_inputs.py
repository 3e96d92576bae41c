"""Random inputs that a model accepts: right shapes and types, large enough, indices within its tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod

import keras
import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.equivalence.model_outputs import outputs
from tfopt.backend.types import Array
from tfopt.errors import StageError

_EXAMPLES = 2
_OPEN_EXTENT = {4: 64}
_OTHER_EXTENT = 16
"""Size that an open axis gets, by the number of axes of the input: large enough for the strides of image models."""
_FACTORS = (1, 1 / 4, 4, 1 / 16, 16, *(4.0**power for power in range(3, 12)))
"""Of those sizes, in the order in which they are tried: a table of positions has an end, a crop needs more."""
_MOST_VALUES = 1 << 22
_WHOLE_NUMBERS, _BOUNDED_WHOLE_NUMBERS = 10, 2
"""Integers are below this where the model has no table."""


def random_inputs(model: keras.Model | tf_keras.Model, seed: int = 0, *, bounded: bool = False) -> list[Array]:
    """Random examples for each input of a model, in the order of `model.inputs`.

    Open axes get several sizes until the model accepts the inputs: one that crops 5,000 values at either end of a
    sequence accepts none below 10,001, one with a table of 12 positions none above 12.

    Args:
        model: functional or sequential, of Keras 3 or tf_keras. Where a layer looks numbers up in a table, integers
            are below the size of the smallest table; strings are words of its vocabularies and unknown ones.
        seed: of the values.
        bounded: floats between -1 and 1, and integers 0 and 1 where the model has no table. Else floats are standard
            normal, which reaches into what activations cut off, a quarter of the integers is 0, as masks are, and
            with a table all inputs are whole numbers, since Keras 3 looks up floats, too.

    Raises:
        StageError: the model refuses inputs of any size; quotes its error.
    """
    draw = _Draw(bounded, min(_tables(model), default=None), [*_words(model), "unseen"])

    dtypes = [tf.as_dtype(tensor.dtype) for tensor in model.inputs]
    reason = ""
    tried: list[list[tuple[int, ...]]] = []
    for factor in _FACTORS:
        shapes = [_shape(tensor.shape, factor) for tensor in model.inputs]
        # The first size is tried in any case: a model without open axes has no smaller one.
        if tried and (shapes in tried or sum(map(prod, shapes)) > _MOST_VALUES):
            continue
        tried.append(shapes)
        random = np.random.default_rng(seed)
        inputs = [draw(shape, dtype, random) for shape, dtype in zip(shapes, dtypes, strict=True)]
        try:
            outputs(model, inputs)
        except (ValueError, tf.errors.OpError) as error:
            reason = reason or (str(error).strip().splitlines() or [type(error).__name__])[0]
        else:
            return inputs
    raise StageError(
        f"The model {model.name!r} could not be tried on random inputs of shape {tried[0]}: {reason}",
        "Expected a model that runs on numbers between -1 and 1, or on small indices.",
        code="invalid_model",
    )


@dataclass(frozen=True)
class _Draw:
    """Draws the values of one input.

    Args:
        bounded: see `random_inputs`.
        table: entries of the model's smallest table, or None.
        words: for strings.
    """

    bounded: bool
    table: int | None
    words: Sequence[str]

    def __call__(self, shape: tuple[int, ...], dtype: tf.DType, random: np.random.Generator) -> Array:
        if dtype == tf.string:
            return np.vectorize(lambda _: " ".join(random.choice(self.words, 4)), otypes=[object])(np.empty(shape))
        if dtype == tf.bool:
            return random.random(shape) < 0.5
        if dtype.is_integer or (self.table is not None and not self.bounded):
            values = self._whole_numbers(shape, random)
        elif self.bounded:
            values = random.uniform(-1, 1, shape)
        else:
            values = random.standard_normal(shape)
        return values.astype(dtype.as_numpy_dtype)

    def _whole_numbers(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        if self.bounded:
            return random.integers(0, self.table or _BOUNDED_WHOLE_NUMBERS, shape)
        return random.integers(0, self.table or _WHOLE_NUMBERS, shape) * (random.random(shape) < 0.75)


def _shape(shape: Iterable[int | None], factor: float) -> tuple[int, ...]:
    batch, *rest = shape
    open_extent = max(1, int(factor * _OPEN_EXTENT.get(1 + len(rest), _OTHER_EXTENT)))
    return (batch or _EXAMPLES, *(extent or open_extent for extent in rest))


def _tables(model: keras.Model | tf_keras.Model) -> list[int]:
    sizes = [getattr(part, key, None) for part in _parts(model) for key in ("input_dim", "num_tokens")]
    return [size for size in sizes if isinstance(size, int)]


def _words(model: keras.Model | tf_keras.Model) -> list[str]:
    lookups = [part for part in _parts(model) if hasattr(part, "get_vocabulary")]
    return sorted({str(word) for lookup in lookups for word in lookup.get_vocabulary()})


def _parts(model: keras.Model | tf_keras.Model) -> list[keras.layers.Layer | tf_keras.layers.Layer]:
    """Layers of either library at any depth; without models, whose attributes their layers have."""
    return [part for part in model._flatten_layers() if not isinstance(part, keras.Model | tf_keras.Model)]
