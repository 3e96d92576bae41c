"""Reads a folder of WAV files as a data source: classes are its subfolders, or parts of the names of its files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tfopt.backend.audio.wav import Stereo
from tfopt.backend.data.arrays.paths import files_below
from tfopt.backend.data.arrays.reading import SHARE_OF_MEMORY
from tfopt.backend.data.cut import cut
from tfopt.backend.data.per_example.keys import keys_of_names
from tfopt.backend.data.prepared import Prepared
from tfopt.backend.data.recordings import Features, RecordingKeys, WavFile, prepared
from tfopt.backend.data.splits import Split
from tfopt.backend.types import Array
from tfopt.core.config.data import Splits
from tfopt.core.language.wording import counted
from tfopt.errors import StageError
from tfopt.memory import available_memory

_SPLITS = ("train", "validation", "test")
_SUFFIXES = (".wav", ".wave")


def has_wavs(path: Path) -> bool:
    """Whether a folder holds WAV files: in itself, or in its subfolders down to the second level."""
    return any(os.path.splitext(file.name)[1].lower() in _SUFFIXES for file in files_below(path, 3))


def load_wavs(
    path: Path,
    shares: Splits,
    seed: int,
    on_the_fly: bool = False,
    *,
    label: str | None = None,
    speaker: str | None = None,
    sample_rate: int | None = None,
    seconds: float = 1.0,
    features: Features = "log_mel",
    window_ms: float = 40,
    hop_ms: float = 20,
    bands: int = 40,
    coefficients: int = 10,
    resample: bool = False,
    stereo: Stereo = "refuse",
) -> Prepared:
    """Reads `class/file.wav`, `train/class/file.wav` (also `validation` and `test`), or files whose names have a class.

    Args:
        path: the folder.
        shares: of validation and test, where the folder has no such parts.
        seed: of that selection.
        on_the_fly: whether files are decoded each time they are read, and not at once; those that take much memory are.
        label: regular expression whose first group is the class, in the name of a file without `.wav`; without one, a
            subfolder is a class.
        speaker: the same for the speaker; all recordings of a speaker are in one split.
        sample_rate: samples per second; that of the first file if absent. Other rates are refused without `resample`.
        seconds: length of an input; longer recordings are cut, shorter ones end in silence.
        features: `log_mel`, `mfcc`, or `samples` for a model that computes features itself.
        window_ms: length of a window, in milliseconds.
        hop_ms: from the beginning of a window to that of the next, in milliseconds.
        bands: mel bands.
        coefficients: of an MFCC.
        resample: whether files of other rates are brought to `sample_rate`.
        stereo: what becomes of several channels: `refuse`, `mix` (their mean) or `first`.

    Raises:
        StageError: no WAV files, files without a class, a file that cannot be used, a class that training lacks.
    """
    keys = RecordingKeys(sample_rate, seconds, features, window_ms, hop_ms, bands, coefficients, resample, stereo)
    labelled = _pattern(label, "label")
    parts = {child.name: child for child in _visible(path) if child.is_dir() and child.name in _SPLITS}
    if "train" not in parts:
        parts = {"train": path}
    files = {name: _files(part, labelled) for name, part in parts.items()}
    examples = {
        name: Split(np.arange(len(found)), np.array([label for _, label in found])) for name, found in files.items()
    }
    groups = _groups([file for file, _ in files["train"]], path, shares, speaker)
    made = cut(
        {**examples, "train": replace(examples["train"], keys=groups)},
        shares,
        seed,
        str(path),
        np.array([label for _, label in files["train"]]),
    )
    chosen: dict[str, list[WavFile]] = {}
    for name, split in made.items():
        found = files[name] if name in files else files["train"]
        chosen[name] = [WavFile(str(file), file, label) for file, label in _at(found, split)]
    return replace(prepared(chosen, keys, path if on_the_fly or _is_large(path) else None), is_cut=True)


def _groups(files: Sequence[Path], root: Path, shares: Splits, speaker: str | None) -> Array | None:
    """What each file belongs to: its speaker, what `data.splits.key` says, or with `by: hash` itself."""
    if speaker is not None and shares.key is not None:
        raise StageError(
            "args.speaker and data.splits.key both say which recordings stay together.",
            "Leave one of them out.",
            code="conflicting_keys",
        )
    speakers = _pattern(speaker, "speaker")
    if speakers is not None:
        return np.array([_group(speakers, file, "speaker") for file in files])
    if shares.key is None and shares.by is None:
        return None
    return np.array(keys_of_names([file.relative_to(root).as_posix() for file in files], shares.key))


def _is_large(path: Path) -> bool:
    """Whether the samples of all files take much of the memory: a float32 each, in files of 16 bits and more."""
    size = sum(file.stat().st_size for file in path.rglob("*") if file.suffix.lower() in _SUFFIXES)
    return 2 * size > SHARE_OF_MEMORY / 2 * available_memory()


def _at(files: Sequence[tuple[Path, str]], split: Split) -> Iterable[tuple[Path, str]]:
    return (files[position] for position in np.asarray(split.inputs))


def _files(folder: Path, label: re.Pattern[str] | None) -> list[tuple[Path, str]]:
    """Files of a split with their classes, in the order of their paths."""
    if label is not None:
        return [(file, _group(label, file, "label")) for file in _wavs(folder, deep=True)]
    found = [(file, child.name) for child in _visible(folder) if child.is_dir() for file in _wavs(child)]
    loose = _wavs(folder)
    if loose or not found:
        what = counted(len(loose), "WAV file") if loose else "no WAV files in subfolders"
        raise StageError(
            f"{folder} has {what}{' outside of a class folder' if loose else ''}"
            f"{f', such as {loose[0].name}' if loose else ''}.",
            "Expected one subfolder per class, or args: {label: REGEX}, whose first group is the class in a name.",
            code="invalid_data",
        )
    return found


def _wavs(folder: Path, deep: bool = False) -> list[Path]:
    children = sorted(folder.rglob("*")) if deep else list(_visible(folder))
    files = [child for child in children if child.is_file() and not child.name.startswith(".")]
    strange = [file for file in files if file.suffix.lower() not in _SUFFIXES]
    wavs = [file for file in files if file not in strange]
    if wavs and strange and not deep:
        raise StageError(
            f"{strange[0]} is not a WAV file, but is among {counted(len(wavs), 'WAV file')}.",
            "Convert it, or move it out of the folder.",
            code="invalid_data",
        )
    if deep and not wavs:
        raise StageError(f"{folder} holds no WAV files.", code="data_missing")
    return wavs


def _visible(folder: Path) -> list[Path]:
    return sorted(child for child in folder.iterdir() if not child.name.startswith("."))


def _pattern(text: str | None, key: str) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise StageError(f"args.{key} is no regular expression: {error}.", code="invalid_argument") from error
    if pattern.groups < 1:
        raise StageError(
            f"args.{key} has no group, which is what is taken of a file's name. Got {text!r}.",
            "Put it in parentheses, such as '([a-z]+)_.*'.",
            code="invalid_argument",
        )
    return pattern


def _group(pattern: re.Pattern[str], file: Path, key: str) -> str:
    match = pattern.search(file.stem)
    if match is None or not match.group(1):
        raise StageError(
            f"The name of {file} has no {key}: args.{key}, {pattern.pattern!r}, does not match {file.stem!r}.",
            "Rename the file, move it away, or change the expression.",
            code="invalid_data",
        )
    return match.group(1)
