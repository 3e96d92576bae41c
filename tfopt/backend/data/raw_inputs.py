"""How a source made the inputs of a model from raw examples: what an app must do to a camera image, say.

A source declares it with a decorator; for other sources the recipe can (`normalization` of a bundle,
`include_preprocessing` of a SavedModel).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

import numpy as np

from tfopt.backend.audio.settings import FeatureSettings
from tfopt.backend.types import Array

F = TypeVar("F", bound=Callable[..., object])

_ATTRIBUTE = "raw_inputs"
_TOLERANCE = 1e-3
"""How far a float may be off a whole number after normalization was undone."""

Pair = tuple[Array, Array]
"""A raw example and the input that the source made of it, both without a batch axis."""


@dataclass(frozen=True)
class RawInputs:
    """What turns a raw example into an input of the model: `input = (raw - mean) / std`, after resizing; of sound,
    features take the place of `raw`.

    Args:
        mean: one number, or one for each channel (the last axis).
        std: the same.
        dtype: of raw values; `uint8` for pixels.
        high: largest raw value, where the smallest is 0; None where that is not known.
        images: whether examples are images, (height, width, 1 or 3).
        resized: whether images of any size were resized to that of the model, bilinear with antialiasing.
        pairs: raw examples with the inputs made of them, to prove it with; None where inputs can be turned back.
        audio: the features of samples that are normalized, in place of raw values; None where examples are no sound.
        sample_rate: samples per second; None where examples are no sound.
    """

    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    dtype: Literal["uint8", "float32"] = "uint8"
    high: float | None = None
    images: bool = False
    resized: bool = False
    pairs: Callable[[int], Iterator[Pair]] | None = None
    audio: FeatureSettings | None = None
    sample_rate: int | None = None

    def undone(self, inputs: Array) -> Array:
        """Raw values of inputs that were only normalized, in the raw dtype.

        Args:
            inputs: (..., channels).
        """
        raw = inputs.astype(np.float64) * np.asarray(self.std) + np.asarray(self.mean)
        return np.round(raw).astype(np.uint8) if self.dtype == "uint8" else raw.astype(np.float32)


def described_by(description: Callable[..., RawInputs]) -> Callable[[F], F]:
    """Decorates the function of a source.

    Args:
        description: takes the arguments of the source; returns what it did to raw examples.
    """

    def mark(source: F) -> F:
        source.__dict__[_ATTRIBUTE] = description
        return source

    return mark


def raw_inputs_of(source: Callable[..., object], arguments: Mapping[str, object]) -> RawInputs | None:
    """What a source did to raw examples; None where it does not say.

    Args:
        source: its function, or a partial one.
        arguments: that it is called with.
    """
    function, given = (source.func, source.args) if isinstance(source, partial) else (source, ())
    description = getattr(function, _ATTRIBUTE, None)
    return None if description is None else description(*given, **arguments)


def declared(mean: tuple[float, ...], std: tuple[float, ...], inputs: Array) -> RawInputs:
    """What a recipe says about the raw values of inputs; they are pixels if all of them are whole numbers in 0..255.

    Args:
        mean: one number, or one for each channel.
        std: the same.
        inputs: examples, (examples, ..., channels).
    """
    raw = inputs.astype(np.float64) * np.asarray(std) + np.asarray(mean)
    whole = bool((np.abs(raw - np.round(raw)) < _TOLERANCE).all())
    pixels = whole and raw.min() > -_TOLERANCE and raw.max() < 255 + _TOLERANCE
    images = inputs.ndim == 4 and inputs.shape[-1] in (1, 3)
    if not pixels:
        return RawInputs(mean, std, "float32", images=images)
    return RawInputs(mean, std, "uint8", high=255.0, images=images)
