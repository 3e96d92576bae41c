"""Code for an app, generated for one file: reads golden inputs, runs the file, compares with the golden outputs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import jinja2
import numpy as np

from tfopt.backend.bundle.golden import Golden
from tfopt.backend.bundle.ports import Port
from tfopt.backend.data.raw_inputs import RawInputs
from tfopt.backend.export.texts.raw_texts import RawTexts

FILES = ("run.py", "run.cc", "Run.kt", "Run.swift")
"""One for each language."""

_NO_STATE = "run.cc"
"""LiteRT's C API (2.3) opens no file that keeps a state from call to call: "Variable tensors not yet supported"."""

_C_TYPES = {"float32": "float", "float64": "double", "bool": "uint8_t"}
_SWIFT_TYPES = {"float32": "Float", "float64": "Double", "bool": "Bool"}
_KOTLIN_GET = {
    "float32": "getFloat(index * 4).toDouble()",
    "float64": "getDouble(index * 8)",
    "int64": "getLong(index * 8).toDouble()",
    "int32": "getInt(index * 4).toDouble()",
    "int16": "getShort(index * 2).toDouble()",
    "int8": "get(index).toDouble()",
    "uint8": "get(index).toInt().and(0xFF).toDouble()",
    "bool": "get(index).toDouble()",
}
_KOTLIN_PUT = {"int8": ("put", "toByte"), "uint8": ("put", "toByte"), "int16": ("putShort", "toShort")}


@dataclass(frozen=True)
class Example:
    """What snippets say about one input or output: all of its port, with the stem of its golden file and a tolerance.

    Args:
        port: of the file.
        golden: name of its golden file without `.npy` or `.bin`.
        tolerance: how far an output may be off, in its own numbers.
    """

    port: Port
    golden: str
    tolerance: float = 0.0

    def __getattr__(self, name: str) -> object:
        return getattr(self.port, name)


def snippets(
    variant: str,
    golden: Golden,
    tolerances: Mapping[str, float],
    stems: Mapping[str, str],
    labels: Mapping[int, Sequence[str]],
    raw: RawInputs | None,
    versions: Mapping[str, str],
    texts: RawTexts | None = None,
) -> dict[str, str]:
    """The code of every language that can run the file, by file name.

    Args:
        variant: name of the file without `.tflite`.
        golden: examples that the file was run on.
        tolerances: by output, in the numbers of the file.
        stems: of the golden files, by input and output.
        labels: names of classes by output: one for each value of its last axis.
        raw: what an app must do to raw examples; None where that is not known.
        versions: of `tfopt` and `litert`.
        texts: what an app must do to texts; None where inputs are none.
    """
    values = {
        "variant": variant,
        "file": f"{variant}.tflite",
        "examples": len(next(iter(golden.inputs.values()))),
        "inputs": [Example(port, stems[f"input {port.name}"]) for port in golden.ports.inputs],
        "outputs": [
            Example(port, stems[f"output {port.name}"], tolerances[port.name]) for port in golden.ports.outputs
        ],
        "stateful": golden.ports.stateful,
        "labels": {index: list(names) for index, names in labels.items()},
        "raw": raw,
        "texts": texts,
        **versions,
    }
    environment = _environment()
    names = [name for name in FILES if not (golden.ports.stateful and name == _NO_STATE)]
    return {name: environment.get_template(f"{name}.j2").render(values) for name in names}


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tfopt.backend.bundle"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=False,
        autoescape=False,  # code, not HTML; strings go through the literals below
    )
    environment.filters |= {
        "literal": repr,
        "npy": _with_npy,
        "string_literal": _c_literal,
        "kotlin_literal": lambda text: json.dumps(text).replace("$", "\\$"),
        "swift_literal": _swift_literal,
        "c_type": lambda dtype: _C_TYPES.get(dtype, f"{dtype}_t"),
        "swift_type": lambda dtype: _SWIFT_TYPES.get(dtype, dtype.replace("uint", "UInt").replace("int", "Int")),
        "width": lambda dtype: np.dtype(dtype).itemsize,
        "low": lambda dtype: np.iinfo(dtype).min,
        "high": lambda dtype: np.iinfo(dtype).max,
        "kotlin_get": lambda dtype: _KOTLIN_GET[dtype],
        "kotlin_put": lambda dtype: _KOTLIN_PUT[dtype][0],
        "kotlin_to": lambda dtype: _KOTLIN_PUT[dtype][1],
    }
    return environment


def _with_npy(names: Iterable[str]) -> list[str]:
    return [f"{name}.npy" for name in names]


def _c_literal(text: str) -> str:
    """A string of C++: what is not ASCII as the octal numbers of its UTF-8 bytes, which end after three digits."""
    escaped = {ord('"'): '\\"', ord("\\"): "\\\\"}
    return (
        '"'
        + "".join(escaped.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}") for byte in text.encode())
        + '"'
    )


def _swift_literal(text: str) -> str:
    """A string of Swift, whose escapes name code points."""
    escaped = {'"': '\\"', "\\": "\\\\"}
    return (
        '"'
        + "".join(
            escaped.get(letter) or (letter if 32 <= ord(letter) < 127 else f"\\u{{{ord(letter):x}}}") for letter in text
        )
        + '"'
    )
