"""Spoken digits as log-mel spectra, and a small DS-CNN for them; data source and model of `tflite_front.py`."""

from __future__ import annotations

import io
import wave
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

Examples = tuple[np.ndarray, np.ndarray]

RATE, FRAME, HOP, FRAMES, BANDS = 8000, 320, 160, 49, 20
"""Samples per second, samples of a window and between windows, windows, mel bands."""


def spoken_digits(folder: str) -> tuple[Examples, Examples]:
    """Log-mel spectra of the Free Spoken Digit Dataset, (n, 49, 20, 1); the test split is takes 0 to 4."""
    train: list[tuple[np.ndarray, int]] = []
    test: list[tuple[np.ndarray, int]] = []
    with zipfile.ZipFile(Path(folder) / "recordings.zip") as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".wav"):
                digit, _, take = Path(name).stem.split("_")
                with wave.open(io.BytesIO(archive.read(name))) as recording:
                    samples = np.frombuffer(recording.readframes(recording.getnframes()), np.int16) / 32768
                (test if int(take) < 5 else train).append((_spectrum(samples), int(digit)))
    mean, deviation = np.mean([x for x, _ in train]), np.std([x for x, _ in train])

    def arrays(part: list[tuple[np.ndarray, int]]) -> Examples:
        spectra = ((np.array([x for x, _ in part]) - mean) / deviation)[..., np.newaxis]
        return spectra.astype(np.float32), np.array([y for _, y in part], np.int32)

    return arrays(train), arrays(test)


def _spectrum(samples: np.ndarray) -> np.ndarray:
    """The logarithm of the energy in each band, (49, 20), of the first second; shorter recordings end in silence."""
    padded = np.zeros(HOP * (FRAMES - 1) + FRAME)
    padded[: len(samples)] = samples[: len(padded)]
    windows = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP] * np.hanning(FRAME)
    return np.log(np.abs(np.fft.rfft(windows)) ** 2 @ _mel_filters() + 1e-6)


def _mel_filters() -> np.ndarray:
    """Triangles that are evenly spaced on the mel scale, (frequencies, bands)."""
    mel = np.linspace(0, 2595 * np.log10(1 + RATE / 2 / 700), BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    frequencies = np.fft.rfftfreq(FRAME, 1 / RATE)[:, np.newaxis]
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    return np.clip(np.minimum(rising, falling), 0, None)


def small_ds_cnn(input_shape: tuple[int, ...], num_outputs: int) -> Any:
    """A DS-CNN (Zhang et al. 2017, arXiv:1711.07128) of 48 filters and three blocks: 11,962 parameters."""
    from tf_keras import Model, layers

    def normalized(x: Any, name: str) -> Any:
        return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x))

    x = inputs = layers.Input(input_shape, name="spectrum")
    x = normalized(layers.Conv2D(48, (10, 4), 2, padding="same", use_bias=False, name="stem")(x), "stem")
    for number in range(1, 4):
        depth, point = f"depth{number}", f"point{number}"
        x = normalized(layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=depth)(x), depth)
        x = normalized(layers.Conv2D(48, 1, use_bias=False, name=point)(x), point)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return Model(inputs, layers.Dense(num_outputs, activation="softmax", name="digit")(x), name="small_ds_cnn")
