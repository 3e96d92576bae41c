"""WAV files of tones, for tests of sound."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np


def tone(hertz: float, seconds: float = 0.5, rate: int = 8000, phase: float = 0.0) -> np.ndarray:
    """A sine of half the range, int16."""
    times = np.arange(round(seconds * rate)) / rate
    return (np.sin(2 * np.pi * hertz * times + phase) * 16384).astype(np.int16)


def write_wav(path: Path, samples: np.ndarray, rate: int = 8000) -> Path:
    """Writes 16-bit samples, (n,) or (n, channels)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def tones(folder: Path, classes: dict[str, float], count: int = 12) -> Path:
    """A folder of WAV files, `class/speaker_number.wav` of four speakers; pitch and loudness vary a little."""
    random = np.random.RandomState(0)
    for name, hertz in classes.items():
        for number in range(count):
            speaker = "abcd"[number % 4]
            samples = tone(hertz * random.uniform(0.95, 1.05), random.uniform(0.3, 0.6), phase=random.uniform(0, 6))
            write_wav(folder / name / f"{speaker}_{number}.wav", (samples * random.uniform(0.3, 1)).astype(np.int16))
    return folder
