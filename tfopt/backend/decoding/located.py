"""Which file a path means, and what goes with it: its tokenizer, its stop tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tfopt.backend.decoding.container import read_container
from tfopt.backend.text.tokenizer import SENTENCEPIECE_MODEL, TOKENIZER_JSON, Tokenizer
from tfopt.errors import ExportError, UsageError

GENERATION = "generation.json"
"""Next to generative files: `{"stop": [ids of tokens that end a text]}`."""


@dataclass(frozen=True)
class Located:
    """A generative file and what goes with it.

    Args:
        file: a `.tflite`.
        tokenizer: None where there is none next to it.
        stop: ids of the tokens that end a text.
    """

    file: Path
    tokenizer: Tokenizer | None
    stop: tuple[int, ...] = ()


@contextmanager
def located(path: Path, tokenizer: Path | None = None) -> Iterator[Located]:
    """The file behind a path; that of a `.litertlm` for the time of the context.

    Args:
        path: a `.tflite` or `.litertlm`.
        tokenizer: `tokenizer.json`, a SentencePiece `.model`, or a folder with one of them; in place of the file's own.

    Raises:
        UsageError: the path is of another type, or there is no such tokenizer.
        ExportError: the `.litertlm` is malformed.
        StageError: the tokenizer cannot be read.
        EnvironmentProblem: a package that reads them is not installed.
    """
    if path.suffix not in (".tflite", ".litertlm"):
        raise UsageError(
            f"{path} is no generative file.",
            "Expected a .tflite or .litertlm that export.generate wrote, or a run.",
            code="unknown_file_type",
        )
    given = None if tokenizer is None else _given(tokenizer)
    if path.suffix == ".tflite":
        beside = _beside(path.parent)
        files = given or beside
        yield Located(path, Tokenizer.from_files(files) if files else None, _stop(path.parent))
        return
    container = read_container(path)
    files = given or container.tokenizer
    with TemporaryDirectory(prefix="tfopt-generate-") as folder:
        model = Path(folder, f"{path.stem}.tflite")
        begin, end = container.model
        model.write_bytes(path.read_bytes()[begin:end])
        yield Located(model, Tokenizer.from_files(files) if files else None, container.stop)


def _given(path: Path) -> Mapping[str, bytes]:
    if path.is_dir():
        found = _beside(path)
        if found:
            return found
        raise UsageError(
            f"The folder {path} has neither {TOKENIZER_JSON} nor {SENTENCEPIECE_MODEL}.", code="file_not_found"
        )
    if not path.is_file():
        raise UsageError(f"There is no tokenizer {path}.", code="file_not_found")
    name = SENTENCEPIECE_MODEL if path.suffix == ".model" else TOKENIZER_JSON
    return {name: path.read_bytes()}


def _beside(folder: Path) -> Mapping[str, bytes]:
    names = (TOKENIZER_JSON, SENTENCEPIECE_MODEL)
    return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}


def _stop(folder: Path) -> tuple[int, ...]:
    file = folder / GENERATION
    if not file.is_file():
        return ()
    try:
        return tuple(int(token) for token in json.loads(file.read_text(encoding="utf-8"))["stop"])
    except (ValueError, KeyError, TypeError) as error:
        raise ExportError(
            f"{file} cannot be read: {error}.", 'Expected {"stop": [token ids]}.', code="data_unreadable"
        ) from error
