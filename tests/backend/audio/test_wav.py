"""WAV files of all widths, and those that cannot be used; no TensorFlow."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from tests.support.wav_files import tone, write_wav
from tfopt.backend.audio.wav import Recording, read_wav, resampled
from tfopt.errors import StageError


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_width_gives_the_same_numbers(width: int, tmp_path: Path) -> None:
    expected = np.array([0, 0.5, -1, 0.25, -0.75], np.float32)
    numbers = (expected * 2.0 ** (8 * width - 1)).astype(np.int64) + (128 if width == 1 else 0)
    content = b"".join(int(n).to_bytes(width, "little", signed=width > 1) for n in numbers)
    with wave.open(str(tmp_path / "x.wav"), "wb") as file:
        file.setparams((1, width, 8000, 0, "NONE", ""))
        file.writeframes(content)
    read = read_wav(tmp_path / "x.wav", "x.wav")
    assert read.rate == 8000
    assert read.samples.dtype == np.float32
    assert np.array_equal(read.samples, expected)


def test_stereo_is_refused_mixed_or_cut(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "x.wav", np.array([[8192, 16384], [0, -16384]], np.int16))
    with pytest.raises(StageError, match=r"x\.wav has 2 channels, but a recording must be mono.*stereo: mix"):
        read_wav(path, "x.wav")
    assert read_wav(path, "x.wav", "mix").samples.tolist() == [0.375, -0.25]
    assert read_wav(path, "x.wav", "first").samples.tolist() == [0.25, 0]


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "whole.wav", tone(440)).read_bytes()
    other = bytearray(whole)
    other[20:22] = (3).to_bytes(2, "little")
    for content, match in [
        (b"no sound", "cannot be read as a WAV file"),
        (b"", "cannot be read as a WAV file: it ends too early"),
        (whole[:30], "cannot be read as a WAV file"),
        (whole[:-1000], "is cut off: its header says 4,000 samples, but there are only 3,500"),
        (bytes(other), "unknown format: 3.*pcm_s16le"),
    ]:
        (tmp_path / "x.wav").write_bytes(content)
        with pytest.raises(StageError, match=match):
            read_wav(tmp_path / "x.wav", "x.wav")
    with pytest.raises(StageError, match="holds no samples"):
        read_wav(write_wav(tmp_path / "x.wav", np.zeros(0, np.int16)), "x.wav")


def test_another_rate_keeps_the_pitch() -> None:
    samples = tone(440, 1, 16000) / np.float32(32768)
    found = resampled(Recording(16000, samples), 8000)
    assert (found.rate, len(found.samples)) == (8000, 8000)
    assert np.abs(np.fft.rfft(found.samples)).argmax() == 440
