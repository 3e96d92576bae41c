"""Log-mel energies and MFCCs of recordings, in NumPy."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.fft import dct
from scipy.signal import get_window

from tfopt.backend.audio.settings import FeatureSettings
from tfopt.backend.types import Array


def features(samples: Array, settings: FeatureSettings) -> Array:
    """The features of one recording, (frames, bands or coefficients) float32.

    Args:
        samples: mono, between -1 and 1; cut, or filled with zeros, to the length in the settings.
        settings: what is computed.
    """
    frames = np.lib.stride_tricks.sliding_window_view(fitted(samples, settings.samples), settings.window)
    windowed = frames[:: settings.hop] * hann(settings.window)
    power = np.abs(np.fft.rfft(windowed, settings.transform_length)) ** 2
    logarithms = np.log(power @ mel_filters(settings) + settings.floor)
    if settings.kind == "mfcc":
        logarithms = dct(logarithms, norm="ortho")[:, : settings.coefficients]
    return np.asarray(logarithms, np.float32)


def fitted(samples: Array, length: int) -> Array:
    """The first `length` samples; what is shorter ends in silence."""
    if len(samples) >= length:
        return samples[:length]
    return np.concatenate([samples, np.zeros(length - len(samples), samples.dtype)])


def hann(window: int) -> Array:
    """A periodic Hann window."""
    return np.asarray(get_window("hann", window))


@cache
def mel_filters(settings: FeatureSettings) -> Array:
    """What turns powers of frequencies into energies of bands, (frequencies, bands).

    Triangles whose corners are evenly spaced on the mel scale of HTK, 2595 log10(1 + f / 700).

    Args:
        settings: sample rate, window and bands.
    """
    corners = np.linspace(_mel(settings.low), _mel(settings.high), settings.bands + 2)
    mel = _mel(np.fft.rfftfreq(settings.transform_length, 1 / settings.sample_rate))[:, np.newaxis]
    rising = (mel - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - mel) / (corners[2:] - corners[1:-1])
    return np.clip(np.minimum(rising, falling), 0, None)


def cosines(settings: FeatureSettings) -> Array:
    """The matrix of the orthonormal DCT-II, (bands, coefficients)."""
    return np.asarray(dct(np.eye(settings.bands), norm="ortho")[:, : settings.coefficients])


def _mel(frequency: float | Array) -> Array:
    return np.asarray(2595 * np.log10(1 + np.asarray(frequency) / 700))
