"""From WAV files to the inputs of a model: read, brought to one length, turned into features, normalized."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from tfopt.backend.audio.features import features, fitted
from tfopt.backend.audio.settings import FeatureSettings
from tfopt.backend.audio.wav import Recording, Stereo, read_wav, resampled
from tfopt.backend.data.arrays.decoded import DecodedRows, identity_of_files
from tfopt.backend.data.arrays.reading import is_in_memory, parts
from tfopt.backend.data.arrays.views import ChangedRows
from tfopt.backend.data.prepared import Prepared
from tfopt.backend.data.raw_inputs import Pair, RawInputs
from tfopt.backend.data.splits import Preprocessing
from tfopt.backend.types import Array, ExampleArray
from tfopt.core.language.wording import counted
from tfopt.errors import StageError

Features = Literal["log_mel", "mfcc", "samples"]
"""What a model gets of a recording; `samples` leaves the features to the model."""

SETTINGS_FILE = "audio.json"
"""What travels with a model: everything that turns samples into its inputs."""


@dataclass(frozen=True)
class WavFile:
    """A file that is not read yet.

    Args:
        name: for errors.
        content: its path, or what is in it.
        label: its class.
    """

    name: str
    content: Path | bytes
    label: str


@dataclass(frozen=True)
class RecordingKeys:
    """How recordings become inputs, as `data.args` says it.

    Args:
        sample_rate: samples per second; None for that of the first file. Other rates are refused without `resample`.
        seconds: length of an input; longer recordings are cut, shorter ones end in silence.
        features: what a model gets.
        window_ms: length of a window, in milliseconds.
        hop_ms: from the beginning of a window to that of the next, in milliseconds.
        bands: mel bands.
        coefficients: of an MFCC.
        resample: whether files of other rates are brought to `sample_rate`.
        stereo: what becomes of several channels.
    """

    sample_rate: int | None = None
    seconds: float = 1.0
    features: Features = "log_mel"
    window_ms: float = 40
    hop_ms: float = 20
    bands: int = 40
    coefficients: int = 10
    resample: bool = False
    stereo: Stereo = "refuse"

    def __post_init__(self) -> None:
        if self.features not in ("log_mel", "mfcc", "samples"):
            raise _wrong("features", self.features, "log_mel, mfcc or samples")
        if self.stereo not in ("refuse", "mix", "first"):
            raise _wrong("stereo", self.stereo, "refuse, mix or first")
        if self.sample_rate is not None and not (isinstance(self.sample_rate, int) and self.sample_rate > 0):
            raise _wrong("sample_rate", self.sample_rate, "a whole number of samples per second")
        for name in ("seconds", "window_ms", "hop_ms"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
                raise _wrong(name, value, "a number above 0")
        for name in ("bands", "coefficients"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < 1:
                raise _wrong(name, getattr(self, name), "a whole number of at least 1")

    def settings(self, rate: int) -> FeatureSettings | None:
        """What is computed at a rate; None for samples."""
        if self.features == "samples":
            return None
        return FeatureSettings.of_milliseconds(
            self.features, rate, self.samples(rate), self.window_ms, self.hop_ms, self.bands, self.coefficients
        )

    def samples(self, rate: int) -> int:
        """Length of an input in samples."""
        return round(self.seconds * rate)


def prepared(splits: Mapping[str, Sequence[WavFile]], keys: RecordingKeys, root: Path | None = None) -> Prepared:
    """Reads all files.

    Args:
        splits: files of `train`, `validation` and `test`.
        keys: what is done to them.
        root: folder of the files, which are decoded each time they are read then; without it they are read at once.

    Returns:
        Features (n, frames, bands or coefficients), with mean 0 and standard deviation 1 in each column of the training
        split; or samples (n, samples) between -1 and 1. Labels are names of classes.

    Raises:
        StageError: a file cannot be read, is too short for one window, has another rate or several channels.
    """
    rate = keys.sample_rate if keys.sample_rate is not None else _read(splits["train"][0], keys).rate
    settings = keys.settings(rate)
    found: dict[str, ExampleArray] = {
        name: np.stack([_input(file, keys, rate, settings) for file in files])
        if root is None
        else _rows(files, keys, rate, settings, root)
        for name, files in splits.items()
    }
    mean, std = _statistics(found["train"]) if settings is not None else (np.zeros(1), np.ones(1))
    mean, std = mean.astype(np.float32), std.astype(np.float32)
    numbers = tuple(map(float, mean)), tuple(map(float, std))
    if settings is None:
        content = {"kind": "samples", "sample_rate": rate, "samples": keys.samples(rate)}
        file = (json.dumps(content, indent=2) + "\n").encode()
    else:
        file = settings.to_json(*numbers)

    def pairs(count: int) -> Iterator[Pair]:
        for wav in _of_every_class(splits["test"])[:count]:
            samples = fitted(_samples(wav, keys, rate), keys.samples(rate))
            yield samples, samples if settings is None else (features(samples, settings) - mean) / std

    return Prepared(
        {
            name: (_normalized(inputs, mean, std), np.array([file.label for file in splits[name]]))
            for name, inputs in found.items()
        },
        Preprocessing("audio", {SETTINGS_FILE: file}),
        RawInputs(*numbers, "float32", pairs=pairs, audio=settings, sample_rate=rate),
    )


def _input(file: WavFile, keys: RecordingKeys, rate: int, settings: FeatureSettings | None) -> Array:
    samples = _samples(file, keys, rate)
    return fitted(samples, keys.samples(rate)) if settings is None else features(samples, settings)


def _samples(file: WavFile, keys: RecordingKeys, rate: int) -> Array:
    recording = _read(file, keys)
    if recording.rate != rate:
        if not keys.resample:
            raise StageError(
                f"{file.name} has {recording.rate} samples per second, but {rate} are expected"
                f"{' (args.sample_rate)' if keys.sample_rate is not None else ', as the first file has'}.",
                f"Write args: {{sample_rate: {rate}, resample: true}} to bring all files to one rate, or move it away.",
                code="invalid_data",
            )
        recording = resampled(recording, rate)
    least = round(rate * min(keys.window_ms / 1000, keys.seconds))
    if len(recording.samples) < least:
        raise StageError(
            f"{file.name} is too short: {counted(len(recording.samples), 'sample')} "
            f"({len(recording.samples) / rate * 1000:.0f} ms), but one window has {least}.",
            "Move it away, or choose a smaller args.window_ms.",
            code="invalid_data",
        )
    return recording.samples


def _read(file: WavFile, keys: RecordingKeys) -> Recording:
    return read_wav(file.content, file.name, keys.stereo)


def _rows(
    files: Sequence[WavFile], keys: RecordingKeys, rate: int, settings: FeatureSettings | None, root: Path
) -> ExampleArray:
    """What `_input` makes of files, when they are read."""
    first = _input(files[0], keys, rate, settings)
    paths = [file.content for file in files if isinstance(file.content, Path)]
    return DecodedRows(
        files,
        lambda file: _input(file, keys, rate, settings),
        first.shape,
        first.dtype,
        identity_of_files(paths, root, ("wav", keys, rate)),
    )


def _normalized(inputs: ExampleArray, mean: Array, std: Array) -> ExampleArray:
    if is_in_memory(inputs):
        return (inputs - mean) / std
    label = f"normalized {mean.tolist()} {std.tolist()}"
    return ChangedRows(inputs, lambda values: (values - mean) / std, np.dtype(np.float32), label=label)


def _statistics(inputs: ExampleArray) -> tuple[Array, Array]:
    """Mean and standard deviation of each column, over all windows; a column that never changes is divided by 1."""
    if is_in_memory(inputs):
        rows = inputs.reshape(-1, inputs.shape[-1]).astype(np.float64)
        std = rows.std(axis=0)
        return rows.mean(axis=0), np.where(std > 0, std, 1.0)
    count = int(np.prod(inputs.shape[:-1]))
    mean = sum(_columns(part).sum(axis=0) for part in parts(inputs)) / count
    std = np.sqrt(sum(np.square(_columns(part) - mean).sum(axis=0) for part in parts(inputs)) / count)
    return mean, np.where(std > 0, std, 1.0)


def _columns(part: Array) -> Array:
    return part.reshape(-1, part.shape[-1]).astype(np.float64)


def _of_every_class(files: Sequence[WavFile]) -> list[WavFile]:
    """The first file of each class, then the second, ..."""
    by_class: dict[str, list[WavFile]] = {}
    for file in files:
        by_class.setdefault(file.label, []).append(file)
    turns = max(map(len, by_class.values()))
    return [part[turn] for turn in range(turns) for part in by_class.values() if turn < len(part)]


def _wrong(name: str, value: object, expected: str) -> StageError:
    return StageError(f"args.{name} must be {expected}. Got {value!r}.", code="invalid_argument")
