"""Free Spoken Digit Dataset: 3,000 recordings of the digits 0 to 9 by six speakers, 8 kHz; from a folder of yours."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from tfopt.backend.data.datasets._own_folder import own_folder
from tfopt.backend.data.prepared import Prepared
from tfopt.backend.data.recordings import Features, RecordingKeys, WavFile, prepared
from tfopt.errors import EnvironmentProblem, StageError

FOLDER = "SPOKEN_DIGITS"
"""Environment variable with the folder, where `args.folder` is not given."""
_ARCHIVE, _RECORDINGS = "recordings.zip", "recordings"
_TAKES_OF_TEST = 5
"""Of each speaker and digit; the test split of its authors."""


def load(
    *,
    folder: str | None = None,
    split: Literal["speakers", "takes"] = "speakers",
    test_speakers: Sequence[str] = ("theo",),
    validation_speakers: Sequence[str] = ("lucas",),
    features: Features = "log_mel",
    seconds: float = 1.0,
    window_ms: float = 40,
    hop_ms: float = 20,
    bands: int = 40,
    coefficients: int = 10,
) -> Prepared:
    """Reads the recordings of github.com/Jakobovski/free-spoken-digit-dataset (CC BY-SA 4.0), which are not downloaded.

    Args:
        folder: with `recordings.zip` or `recordings/`, or the recordings themselves; without it, the environment
            variable SPOKEN_DIGITS names it.
        split: `speakers`: voices of the test split are never heard in training; `takes`: its authors' split, takes 0 to
            4 of every speaker and digit (easier: the same voices).
        test_speakers: of george, jackson, lucas, nicolas, theo, yweweler; for `split: speakers`.
        validation_speakers: the same for validation.
        features: `log_mel`, `mfcc`, or `samples` for a model that computes features itself.
        seconds: length of an input; 99 % of the recordings are shorter than one second, and end in silence.
        window_ms: length of a window, in milliseconds.
        hop_ms: from the beginning of a window to that of the next, in milliseconds.
        bands: mel bands.
        coefficients: of an MFCC.

    Raises:
        EnvironmentProblem: the folder is not given, or has no such recordings.
        StageError: a speaker is unknown, or in two splits.
    """
    files = _files(own_folder("spoken_digits", folder, FOLDER, "github.com/Jakobovski/free-spoken-digit-dataset"))
    keys = RecordingKeys(8000, seconds, features, window_ms, hop_ms, bands, coefficients)
    parts: dict[str, list[WavFile]] = {"train": [], "validation": [], "test": []}
    if split == "takes":
        for (_, take), file in files:
            parts["test" if take < _TAKES_OF_TEST else "train"].append(file)
        return prepared({name: part for name, part in parts.items() if part}, keys)
    if split != "speakers":
        raise StageError(f"args.split must be speakers or takes. Got {split!r}.", code="invalid_argument")
    chosen = {"test": tuple(test_speakers), "validation": tuple(validation_speakers)}
    _check_speakers(chosen, sorted({speaker for (speaker, _), _ in files}))
    for (speaker, _), file in files:
        parts[next((name for name, names in chosen.items() if speaker in names), "train")].append(file)
    return prepared(parts, keys)


def _files(folder: Path) -> list[tuple[tuple[str, int], WavFile]]:
    """Recordings by speaker and take, in the order of their names."""
    archive = folder / _ARCHIVE
    if archive.is_file():
        try:
            with zipfile.ZipFile(archive) as opened:
                contents = {name: opened.read(name) for name in sorted(opened.namelist()) if name.endswith(".wav")}
        except (zipfile.BadZipFile, OSError) as error:
            raise EnvironmentProblem(f"{archive} cannot be read: {error}.", code="data_unreadable") from error
        recordings: dict[str, Path | bytes] = {f"{archive}/{name}": content for name, content in contents.items()}
    else:
        place = folder / _RECORDINGS if (folder / _RECORDINGS).is_dir() else folder
        recordings = {str(file): file for file in sorted(place.glob("*.wav"))}
    found = []
    for name, content in recordings.items():
        digit, speaker, take = (*Path(name).stem.split("_"), "", "")[:3]
        if not (digit.isdigit() and speaker and take.isdigit()):
            raise EnvironmentProblem(
                f"{name} is not a recording of spoken_digits: its name must be DIGIT_SPEAKER_TAKE.wav.",
                "Move it away, or read the folder as data.source with args: {label: ..., speaker: ...}.",
                code="invalid_data",
            )
        found.append(((speaker, int(take)), WavFile(name, content, digit)))
    if not found:
        raise EnvironmentProblem(
            f"{folder.absolute()} has neither {_ARCHIVE} nor WAV files of spoken_digits.", code="data_missing"
        )
    return found


def _check_speakers(chosen: dict[str, tuple[str, ...]], known: list[str]) -> None:
    for name, speakers in chosen.items():
        for speaker in speakers:
            if speaker not in known:
                raise StageError(
                    f"args.{name}_speakers has {speaker!r}, who speaks no recording.",
                    f"Speakers: {', '.join(known)}.",
                    code="invalid_argument",
                )
        if not speakers:
            raise StageError(f"args.{name}_speakers must name a speaker.", code="invalid_argument")
    if both := set(chosen["test"]) & set(chosen["validation"]):
        raise StageError(f"{min(both)!r} is a speaker of test and of validation.", code="invalid_argument")
    if set(known) <= {*chosen["test"], *chosen["validation"]}:
        raise StageError("No speaker is left for training.", code="invalid_argument")
