"""Folders of WAV files: classes, speakers, splits, features, and files that cannot be used; no TensorFlow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.wav_files import tone, tones, write_wav
from tfopt.backend.data.load import Data, load
from tfopt.core.config.data import DataConfig
from tfopt.errors import StageError

CLASSES = {"low": 300.0, "middle": 900.0, "high": 2500.0}


def loaded(folder: Path, **args: Any) -> Data:
    return load(DataConfig(source=str(folder), args=args))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tones(tmp_path_factory.mktemp("tones"), CLASSES)


def test_features_are_normalized_by_the_training_split_and_travel(folder: Path) -> None:
    data = loaded(folder)
    assert data.input_shape == (49, 40)
    assert data.class_names == ("high", "low", "middle")
    assert (len(data.train), len(data.validation), len(data.test)) == (25, 4, 7)
    rows = data.train.inputs.reshape(-1, 40).astype(np.float64)
    assert np.allclose(rows.mean(axis=0), 0, atol=1e-4)
    assert np.allclose(rows.std(axis=0), 1, atol=1e-3)
    assert data.preprocessing is not None
    assert data.raw is not None
    assert data.raw.pairs is not None
    content = json.loads(data.preprocessing.files["audio.json"])
    assert (content["sample_rate"], content["kind"], len(content["mean"])) == (8000, "log_mel", 40)
    samples, prepared = next(data.raw.pairs(1))
    assert samples.shape == (8000,)
    assert any(np.array_equal(prepared, given) for given in data.test.inputs)


def test_mfccs_and_samples(folder: Path) -> None:
    assert loaded(folder, features="mfcc", coefficients=13, seconds=0.5).input_shape == (24, 13)
    data = loaded(folder, features="samples", seconds=0.25)
    assert data.input_shape == (2000,)
    assert data.raw is not None
    assert data.raw.audio is None
    assert data.preprocessing is not None
    assert json.loads(data.preprocessing.files["audio.json"])["sample_rate"] == 8000


def test_all_that_turns_samples_into_inputs_is_in_the_fingerprint(folder: Path) -> None:
    assert loaded(folder).fingerprint == loaded(folder).fingerprint
    assert loaded(folder).fingerprint != loaded(folder, bands=39).fingerprint


def test_classes_and_speakers_of_names(folder: Path, tmp_path: Path) -> None:
    for file in folder.rglob("*.wav"):
        (tmp_path / f"{file.parent.name}-{file.name}").write_bytes(file.read_bytes())
    data = loaded(tmp_path, label="([a-z]+)-", speaker="-([a-d])_")
    assert data.class_names == ("high", "low", "middle")
    # Four speakers of nine recordings each: two train, one validates, one tests.
    assert (len(data.train), len(data.validation), len(data.test)) == (18, 9, 9)


def test_declared_splits(folder: Path, tmp_path: Path) -> None:
    for split, numbers in (("train", range(8)), ("test", range(8, 12))):
        for file in folder.rglob("*.wav"):
            if int(file.stem[2:]) in numbers:
                path = tmp_path / split / file.parent.name / file.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.read_bytes())
    data = loaded(tmp_path)
    assert len(data.train) + len(data.validation) == 24
    assert len(data.test) == 12


def test_other_rates(folder: Path, tmp_path: Path) -> None:
    tones(tmp_path, CLASSES, 8)
    write_wav(tmp_path / "low" / "z.wav", tone(300, rate=16000), 16000)
    with pytest.raises(StageError, match=r"z\.wav has 16000 samples per second, but 8000 are expected, as the first"):
        loaded(tmp_path)
    with pytest.raises(StageError, match=r"8000 samples per second, but 16000 are expected \(args.sample_rate\)"):
        loaded(tmp_path, sample_rate=16000)
    data = loaded(tmp_path, sample_rate=16000, resample=True)
    assert data.preprocessing is not None
    assert json.loads(data.preprocessing.files["audio.json"])["samples"] == 16000


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    tones(tmp_path, CLASSES, 4)
    bad = tmp_path / "low" / "z.wav"
    for write, match in [
        (lambda: bad.write_bytes(b"RIFF"), r"z\.wav cannot be read as a WAV file"),
        (lambda: write_wav(bad, np.zeros((4000, 2))), r"z\.wav has 2 channels"),
        (lambda: write_wav(bad, np.zeros(100)), r"z\.wav is too short: 100 samples \(12 ms\), but one window has 320"),
    ]:
        write()
        with pytest.raises(StageError, match=match):
            loaded(tmp_path)
    bad.unlink()
    (tmp_path / "low" / "notes.txt").write_text("x", encoding="utf-8")
    with pytest.raises(StageError, match=r"notes\.txt is not a WAV file, but is among 4 WAV files"):
        loaded(tmp_path)


@pytest.mark.parametrize(
    ("args", "match"),
    [
        ({"features": "fbank"}, "args.features must be log_mel, mfcc or samples. Got 'fbank'"),
        ({"sample_rate": "8k"}, "args.sample_rate must be a whole number of samples per second. Got '8k'"),
        ({"seconds": 0}, "args.seconds must be a number above 0"),
        ({"features": "mfcc", "coefficients": 50}, "coefficients must be at most the number of bands"),
        ({"seconds": 0.03}, "window must be at most the 240 samples"),
        ({"speaker": "_"}, "args.speaker has no group"),
        ({"speaker": "("}, "args.speaker is no regular expression"),
        ({"speaker": "([0-9]{5})"}, r"has no speaker: args.speaker, .* does not match"),
        ({"splits": 1}, "has no argument 'splits'"),
    ],
)
def test_wrong_arguments(folder: Path, args: dict[str, Any], match: str) -> None:
    with pytest.raises(StageError, match=match):
        loaded(folder, **args)


def test_loose_files_need_a_label(tmp_path: Path) -> None:
    write_wav(tmp_path / "one.wav", tone(440))
    with pytest.raises(StageError, match=r"has 1 WAV file outside of a class folder, such as one\.wav.*label: REGEX"):
        loaded(tmp_path)
