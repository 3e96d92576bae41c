"""Tokenizers that others trained: `tokenizer.json`, `vocab.txt`, a SentencePiece `.model`, or a folder with one.

Nothing in them is code, and nothing is downloaded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tfopt.backend.text.tokenizer import (
    SENTENCEPIECE_CONFIG,
    SENTENCEPIECE_MODEL,
    TOKENIZER_JSON,
    UNKNOWN_TOKENS,
    Tokenizer,
    library,
)
from tfopt.backend.text.training import CONTINUED, add_around
from tfopt.catalog.package_folders import path_of
from tfopt.core.config.text.tokenizers import FileTokenizer
from tfopt.core.language.suggest import closest
from tfopt.errors import StageError

if TYPE_CHECKING:
    import tokenizers

_KEY = "data.text.tokenizer"
_WORD_LIST = "vocab.txt"
_PAIRS = ("vocab.json", "merges.txt")
_SENTENCEPIECE_NAMES = ("tokenizer.model", "spiece.model", "sentencepiece.bpe.model")
_READ = f"{TOKENIZER_JSON}, {_WORD_LIST}, a .model of SentencePiece, or {' with '.join(_PAIRS)}"
_OF_BERT = ("[CLS]", "[SEP]")


def read(config: FileTokenizer, folder: Path = Path()) -> Tokenizer:
    """The tokenizer of a recipe that names a file.

    Args:
        config: with the path.
        folder: of the recipe, where relative paths begin.

    Raises:
        StageError: there is no such file, it cannot be read, or it lacks a token that the recipe names.
        EnvironmentProblem: the library that reads it is not installed.
    """
    path = path_of(config.path, folder, f"{_KEY}.path")
    if not path.exists():
        raise StageError(
            f"{_KEY}.path: there is no {path}.", "A relative path starts at the recipe.", code="data_missing"
        )
    try:
        files = _files(_in_folder(path) if path.is_dir() else path, config)
    except OSError as error:
        raise StageError(f"{path} cannot be read: {error}.", code="data_unreadable") from error
    try:
        tokenizer = Tokenizer.from_files(files)
    except StageError as error:  # about the bytes, of which it knows no path
        raise StageError(f"{_KEY}.path {path}: {error.message}", error.hint, code=error.code) from error
    for key in ("begin", "end"):
        token = getattr(config, key)
        if token is not None and tokenizer.id_of(token) is None:
            raise StageError(
                f"{_KEY}.{key} is {token!r}, which is not in the vocabulary of {path}."
                f"{closest(token, tokenizer.vocabulary)}",
                "Name a token of the file.",
                code="invalid_argument",
            )
    return _with_around(tokenizer, config)


def _in_folder(folder: Path) -> Path:
    names = (TOKENIZER_JSON, _WORD_LIST, *_SENTENCEPIECE_NAMES, _PAIRS[0])
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise StageError(f"The folder {folder} has no tokenizer.", f"Expected {_READ}.", code="data_missing")
    return found


def _files(path: Path, config: FileTokenizer) -> Mapping[str, bytes]:
    if config.lowercase is not None and path.suffix in (".json", ".model"):
        raise StageError(
            f"{_KEY}.lowercase is for {_WORD_LIST}, but {path} specifies it itself.",
            "Remove it.",
            code="invalid_argument",
        )
    if path.name == _PAIRS[0]:
        return {TOKENIZER_JSON: _of_pairs(path)}
    if path.suffix == ".json":
        return {TOKENIZER_JSON: path.read_bytes()}
    if path.suffix == ".txt":
        return {TOKENIZER_JSON: _of_word_list(path, config.lowercase)}
    if path.suffix == ".model":
        return {SENTENCEPIECE_MODEL: path.read_bytes(), SENTENCEPIECE_CONFIG: _beside_model(path)}
    raise StageError(
        f"{_KEY}.path {str(path)!r} is of an unknown type.", f"Expected {_READ}.", code="unknown_file_type"
    )


def _of_word_list(path: Path, lowercase: bool | None) -> bytes:
    """BERT's WordPiece with the tokens of a file, one a line."""
    try:
        tokens = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise StageError(f"{path} is not UTF-8 text: {error}.", code="data_unreadable") from error
    tokens = [token.rstrip("\r") for token in (tokens[:-1] if tokens[-1] == "" else tokens)]
    numbers = {token: number for number, token in enumerate(tokens)}
    if len(numbers) != len(tokens):
        twice = next(token for number, token in enumerate(tokens) if numbers[token] != number)
        raise StageError(f"{path} has the token {twice!r} twice.", "Each line is one token.", code="data_unreadable")
    unknown = next((token for token in UNKNOWN_TOKENS if token in numbers), None)
    if unknown is None:
        raise StageError(
            f"{path} has no {UNKNOWN_TOKENS[0]} among its {len(tokens)} lines.",
            "Expected the vocab.txt of a BERT tokenizer: one token a line.",
            code="data_unreadable",
        )
    said = _json(path.with_name(SENTENCEPIECE_CONFIG)).get("do_lower_case", True)
    tokenizers = library()
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(numbers, unk_token=unknown))
    made.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=bool(said if lowercase is None else lowercase))
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    made.decoder = tokenizers.decoders.WordPiece(prefix=CONTINUED)
    made.add_special_tokens([token for token in ("[PAD]", unknown, *_OF_BERT, "[MASK]") if token in numbers])
    if all(token in numbers for token in _OF_BERT):
        add_around(made, *_OF_BERT)
    return _written(made)


def _of_pairs(path: Path) -> bytes:
    """GPT-2's byte-level BPE, in the two files that came before `tokenizer.json`."""
    merges = path.with_name(_PAIRS[1])
    if not merges.is_file():
        raise StageError(f"{path} needs {merges.name} next to it.", code="data_missing")
    tokenizers = library()
    try:
        made = tokenizers.Tokenizer(tokenizers.models.BPE.from_file(str(path), str(merges)))
    except Exception as error:
        raise StageError(f"{path} and {merges.name} cannot be read: {error}.", code="data_unreadable") from error
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    if made.token_to_id("<|endoftext|>") is not None:
        made.add_special_tokens(["<|endoftext|>"])
    return _written(made)


def _beside_model(path: Path) -> bytes:
    said = _json(path.with_name(SENTENCEPIECE_CONFIG))
    kept: dict[str, object] = {}
    for token in ("bos", "eos"):
        name = said.get(f"{token}_token")
        name = name.get("content") if isinstance(name, Mapping) else name
        if said.get(f"add_{token}_token") and isinstance(name, str):
            kept |= {f"add_{token}_token": True, f"{token}_token": name}
    return json.dumps(kept).encode()


def _with_around(tokenizer: Tokenizer, config: FileTokenizer) -> Tokenizer:
    """The tokenizer with `begin` and `end` of the recipe in place of what its file puts around texts."""
    if config.begin is None and config.end is None:
        return tokenizer
    if SENTENCEPIECE_MODEL in tokenizer.files:
        around = {"bos": config.begin, "eos": config.end}
        said: dict[str, object] = {}
        for token, name in around.items():
            if name is not None:
                said |= {f"add_{token}_token": True, f"{token}_token": name}
        return Tokenizer.from_files({**tokenizer.files, SENTENCEPIECE_CONFIG: json.dumps(said).encode()})
    made = library().Tokenizer.from_str(tokenizer.files[TOKENIZER_JSON].decode())
    add_around(made, config.begin, config.end)
    return Tokenizer.from_files({**tokenizer.files, TOKENIZER_JSON: _written(made)})


def _json(path: Path) -> dict[str, object]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StageError(f"{path} cannot be read as JSON: {error}.", code="data_unreadable") from error
    return content if isinstance(content, dict) else {}


def _written(made: tokenizers.Tokenizer) -> bytes:
    return bytes(made.to_str(pretty=True).encode())
