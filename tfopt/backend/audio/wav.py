"""Reads WAV files by Python's own module: mono samples, and a clear error for everything else."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.signal import resample_poly

from tfopt.backend.types import Array
from tfopt.core.language.wording import counted
from tfopt.errors import StageError

Stereo = Literal["refuse", "mix", "first"]
"""What becomes of several channels: an error, their mean, or the first one."""


@dataclass(frozen=True)
class Recording:
    """Samples of a file.

    Args:
        rate: samples per second.
        samples: (n,) float32 between -1 and 1.
    """

    rate: int
    samples: Array


def read_wav(content: Path | bytes, name: str, stereo: Stereo = "refuse") -> Recording:
    """Reads a WAV file of whole numbers: 8, 16, 24 or 32 bits.

    Args:
        content: a path, or what is in the file.
        name: of the file, for errors.
        stereo: what becomes of several channels.

    Raises:
        StageError: it is no such file, is cut off, is empty, or has several channels.
    """
    try:
        with wave.open(str(content) if isinstance(content, Path) else io.BytesIO(content)) as file:
            channels, width, rate, count = file.getparams()[:4]
            frames = file.readframes(count)
    except (wave.Error, EOFError, OSError, ValueError, RuntimeError) as error:
        reason = str(error) or "it ends too early"
        raise StageError(
            f"{name} cannot be read as a WAV file: {reason}.",
            "Convert it to whole numbers (PCM), e.g. `ffmpeg -i FILE -c:a pcm_s16le OUT.wav`, or move it away.",
            code="data_unreadable",
        ) from error
    if rate < 1:
        raise StageError(f"{name} has a sample rate of {rate}.", "Repair it, or move it away.", code="data_unreadable")
    if len(frames) != count * channels * width:
        raise StageError(
            f"{name} is cut off: its header says {counted(count, 'sample')}, but there are only "
            f"{len(frames) // (channels * width):,}.",
            "Get the file again, or move it away.",
            code="data_unreadable",
        )
    if not count:
        raise StageError(f"{name} holds no samples.", "Move it away.", code="invalid_data")
    if channels > 1 and stereo == "refuse":
        raise StageError(
            f"{name} has {channels} channels, but a recording must be mono.",
            "Write args: {stereo: mix} for their mean, or {stereo: first} for the first channel.",
            code="invalid_data",
        )
    samples = _numbers(frames, width).reshape(-1, channels)
    return Recording(rate, samples.mean(axis=1) if stereo == "mix" else samples[:, 0])


def resampled(recording: Recording, rate: int) -> Recording:
    """The recording at another rate, by a polyphase filter without aliasing."""
    if recording.rate == rate:
        return recording
    common = gcd(recording.rate, rate)
    samples = resample_poly(recording.samples, rate // common, recording.rate // common)
    return Recording(rate, np.asarray(samples, np.float32))


def _numbers(content: bytes, width: int) -> Array:
    """Whole numbers of 1 to 4 bytes, little-endian, as float32 between -1 and 1; 8 bits count from 128."""
    if width == 1:
        return ((np.frombuffer(content, np.uint8).astype(np.float32) - 128) / 128).astype(np.float32)
    if width == 3:
        padded = np.zeros((len(content) // width, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(content, np.uint8).reshape(-1, width)
        numbers: Array = padded.view("<i4")[:, 0]
    else:
        numbers = np.frombuffer(content, f"<i{width}")
    return (numbers / -float(np.iinfo(numbers.dtype).min)).astype(np.float32)
