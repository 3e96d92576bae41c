"""A folder of Transformers: its configuration and its tensors, found and read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfopt.backend.types import Array
from tfopt.catalog.own_code import current_folder
from tfopt.catalog.package_folders import path_of
from tfopt.errors import EnvironmentProblem, StageError

_CONFIG, _TENSORS, _INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
_WIDER = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32, "U8": np.uint8}
"""Element types of safetensors that NumPy has; BF16 is read as the upper half of a float32."""
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.txt")


@dataclass(frozen=True)
class Folder:
    """An opened folder.

    Args:
        path: of it.
        config: its `config.json`.
        shapes: of its tensors by name, as the file names them.
        files: that hold them, by name of the tensor.
    """

    path: Path
    config: Mapping[str, object]
    shapes: Mapping[str, tuple[int, ...]]
    files: Mapping[str, Path]

    def read(self, name: str) -> Array:
        """A tensor, as float32 where it holds floats.

        Raises:
            StageError: it holds NaN or infinite values.
        """
        values = self._values(name)
        if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
            odd = int(np.sum(~np.isfinite(values)))
            raise StageError(
                f"{self.files[name]}: {odd:,} of {values.size:,} values of the tensor {name} are NaN or infinite.",
                "Expected the weights of a model that was trained without overflow.",
                code="data_unreadable",
            )
        return values

    def _values(self, name: str) -> Array:
        from safetensors import safe_open

        with safe_open(self.files[name], "np") as tensors:
            kind = tensors.get_slice(name).get_dtype()
            if kind == "BF16":
                return _from_bfloat16(self.files[name], name, self.shapes[name])
            values: Array = tensors.get_tensor(name)
        return values.astype(np.float32) if kind[0] == "F" else values

    def tokenizer_files(self) -> dict[str, bytes]:
        """The files of its tokenizer by name; empty where it has none."""
        return {name: (self.path / name).read_bytes() for name in _TOKENIZERS if (self.path / name).is_file()}


def open_folder(named: str) -> Folder:
    """Opens a folder.

    Args:
        named: its path, relative to the recipe, in which `~` and `$VARIABLES` are replaced; or `package:folder`, a
            folder of an installed package.

    Raises:
        StageError: it is not there, or one of its files is missing or cannot be read.
        EnvironmentProblem: there is no such package, or the library `safetensors` is missing.
    """
    path = _found(named)
    config = _json(path, _CONFIG)
    files = _tensor_files(path)
    shapes: dict[str, tuple[int, ...]] = {}
    places: dict[str, Path] = {}
    for file in dict.fromkeys(files):
        for name, shape in _shapes(file).items():
            shapes[name], places[name] = shape, file
    return Folder(path, config, shapes, places)


def _found(named: str) -> Path:
    path = path_of(named, current_folder(), "model.args.weights")
    if not path.is_dir():
        raise StageError(
            f"model.args.weights is {named!r}, but there is no folder {path}.",
            "Set the variable in it." if "$" in str(path) else f"Expected a folder with {_CONFIG} and {_TENSORS}.",
            code="data_missing",
        )
    return path


def _json(folder: Path, name: str) -> Mapping[str, object]:
    file = folder / name
    if not file.is_file():
        raise StageError(
            f"{folder} has no {name}.",
            "Expected a folder that save_pretrained of Transformers has written.",
            code="data_missing",
        )
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StageError(f"{file} cannot be read: {error}.", "Expected JSON.", code="data_unreadable") from error
    if not isinstance(read, dict):
        raise StageError(
            f"{file} holds a {type(read).__name__}, not a JSON object.",
            "Expected what save_pretrained of Transformers writes.",
            code="data_unreadable",
        )
    return read


def _tensor_files(folder: Path) -> list[Path]:
    if (folder / _INDEX).is_file():
        places = _json(folder, _INDEX).get("weight_map")
        if not isinstance(places, dict):
            raise StageError(f"{folder / _INDEX} has no weight_map.", code="data_unreadable")
        files = [folder / str(name) for name in dict.fromkeys(places.values())]
    else:
        files = [folder / _TENSORS]
    for file in files:
        if not file.is_file():
            pickled = sorted(one.name for one in folder.glob("*.bin"))
            hint = f"{pickled[0]} is not read: it can hold code. " if pickled else ""
            raise StageError(
                f"{folder} has no {file.name}.",
                f"{hint}Write it with save_pretrained(folder, safe_serialization=True) of Transformers.",
                code="data_missing",
            )
    return files


def _shapes(file: Path) -> dict[str, tuple[int, ...]]:
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError as error:
        raise EnvironmentProblem(
            f"Reading {file} needs the package safetensors.",
            "Install it: pip install safetensors.",
            code="missing_package",
        ) from error
    try:
        with safe_open(file, "np") as tensors:
            slices = {name: tensors.get_slice(name) for name in tensors.keys()}  # noqa: SIM118 - it is no dict
            odd = [f"{name} ({one.get_dtype()})" for name, one in slices.items() if not _is_known(one.get_dtype())]
            shapes = {name: tuple(one.get_shape()) for name, one in slices.items()}
    except (SafetensorError, OSError) as error:
        raise StageError(
            f"{file} cannot be read: {error}.",
            "Expected a complete file of safetensors; an interrupted download, or a pointer of Git LFS, is none.",
            code="data_unreadable",
        ) from error
    if odd:
        raise StageError(
            f"{file} holds tensors of types that are no weights: {', '.join(odd[:3])}.",
            f"Expected {', '.join([*_WIDER, 'BF16'])}; a quantized folder has to be dequantized first.",
            code="data_unreadable",
        )
    return shapes


def _is_known(kind: str) -> bool:
    return kind in _WIDER or kind in ("BF16", "BOOL")


def _from_bfloat16(file: Path, name: str, shape: tuple[int, ...]) -> Array:
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        begin, end = json.loads(stream.read(length))[name]["data_offsets"]
        stream.seek(8 + length + begin)
        halves = np.frombuffer(stream.read(end - begin), "<u2")
    return (halves.astype(np.uint32) << 16).view(np.float32).reshape(shape)
