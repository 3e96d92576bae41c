"""Log-mel energies and MFCCs, against their definition and against scipy's transform; no TensorFlow."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.support.wav_files import tone
from tfopt.backend.audio.features import cosines, features, mel_filters
from tfopt.backend.audio.settings import FeatureSettings
from tfopt.errors import StageError

SETTINGS = FeatureSettings("log_mel", 8000, 8000, 320, 160, bands=40)


def test_a_tone_is_loudest_in_the_band_of_its_pitch() -> None:
    loud = features(tone(1000) / np.float32(32768), SETTINGS)
    assert loud.shape == SETTINGS.shape == (49, 40)
    filters = mel_filters(SETTINGS)
    frequencies = np.fft.rfftfreq(SETTINGS.transform_length, 1 / SETTINGS.sample_rate)
    center = frequencies[filters[:, loud[5].argmax()].argmax()]
    assert abs(center - 1000) < 100
    # What is missing to a second is silence.
    assert np.allclose(loud[-1], np.log(SETTINGS.floor))


def test_one_window_by_hand() -> None:
    samples = np.random.RandomState(0).randn(8000).astype(np.float32)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(320) / 320)
    power = np.abs(np.fft.rfft(samples[160:480] * hann, 512)) ** 2
    expected = np.log(power @ mel_filters(SETTINGS) + 1e-6)
    assert np.allclose(features(samples, SETTINGS)[1], expected, atol=1e-5)


def test_mfccs_are_the_first_cosines_of_the_bands() -> None:
    samples = np.random.RandomState(0).randn(8000).astype(np.float32)
    settings = replace(SETTINGS, kind="mfcc", coefficients=10)
    found = features(samples, settings)
    assert found.shape == settings.shape == (49, 10)
    assert np.allclose(found, features(samples, SETTINGS) @ cosines(settings), atol=1e-4)
    assert np.allclose(cosines(replace(settings, coefficients=40)).T @ cosines(settings), np.eye(40)[:, :10])


def test_settings_travel_as_text() -> None:
    content = json.loads(SETTINGS.to_json((1.0,), (2.0,)))
    assert FeatureSettings.from_config(content) == SETTINGS
    assert (content["mean"], content["std"], content["transform_length"]) == ([1.0], [2.0], 512)
    assert any("Hann" in step for step in content["steps"])


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"window": 9000}, "window must be at most the 8000 samples of a recording. Got 9000"),
        ({"hop": 0}, "hop must be at least 1"),
        ({"kind": "mfcc", "coefficients": 41}, "coefficients must be at most the number of bands, 40. Got 41"),
        ({"high": 5000.0}, "half the sample rate, 4000 Hz. Got 20 to 5000"),
        ({"kind": "fbank"}, "log_mel or mfcc. Got 'fbank'"),
    ],
)
def test_settings_that_cannot_be(wrong: dict, match: str) -> None:
    with pytest.raises(StageError, match=match):
        replace(SETTINGS, **wrong)
