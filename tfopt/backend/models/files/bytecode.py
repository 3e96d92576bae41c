"""Which Python wrote the bytecode of a Lambda layer: another version's crashes the process, or computes anything."""

from __future__ import annotations

import codecs
import dis
import marshal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType

from tfopt.backend.models.files.trust import Finding
from tfopt.errors import StageError

_OLDEST_STARTS = {b"\x97": "3.11 or 3.12", b"\x95": "3.13", b"\x80": "3.14"}
"""First operation (RESUME) of a function, by Python version: later ones have none of it at another number."""


def check_bytecode(path: Path, finding: Finding) -> None:
    """Checks that this Python can run the bytecode of a Lambda layer, without running it.

    Args:
        path: of the model file.
        finding: one with `danger` bytecode.

    Raises:
        StageError: another version of Python wrote it.
    """
    for text in _code_texts(finding.part):
        reason = _why_foreign(text)
        if reason is not None:
            ours = f"{sys.version_info.major}.{sys.version_info.minor}"
            layer = f" of the layer {finding.layer!r}" if finding.layer else ""
            raise StageError(
                f"{path} holds Python bytecode in the Lambda{layer} that Python {ours} cannot run: {reason}.",
                "Bytecode changes with every version of Python. Load the file with the one that wrote it and save the "
                "model with a layer class in its place, or rebuild it in a function of yours (package.module:function) "
                "and load its weights there.",
                code="foreign_bytecode",
            )


def _code_texts(part: object) -> Iterator[str]:
    """The marshalled code of a configuration: the first of (code, defaults, closure) in all formats of Keras."""
    if not isinstance(part, Mapping):
        return
    config = part.get("config")
    inner = config if isinstance(config, Mapping) else part
    for key in ("function", "output_shape", "mask"):
        value = inner.get(key)
        if isinstance(value, list | tuple) and value and isinstance(value[0], str):
            yield value[0]
    for key in ("value", "code"):
        value = inner.get(key)
        if isinstance(value, list | tuple) and value and isinstance(value[0], str):
            yield value[0]
        elif key == "code" and isinstance(value, str):
            yield value


def _why_foreign(text: str) -> str | None:
    try:
        content = codecs.decode(text.encode("ascii"), "base64")
    except (ValueError, UnicodeEncodeError):
        content = text.encode("raw_unicode_escape")
    try:
        code = marshal.loads(content)
    except (ValueError, EOFError, TypeError, SystemError, MemoryError):
        return f"it was written by Python {_version(content)}"
    if not isinstance(code, CodeType):
        return "it is no code of a function"
    return f"it was written by Python {_version(content)}" if _is_foreign(code) else None


def _is_foreign(code: CodeType) -> bool:
    """Whether operations or the caches between them are not those of this version."""
    content, end = code.co_code, 0
    previous = ""
    for instruction in dis.get_instructions(code):
        # Between two operations are caches, which are zero in a file.
        if any(content[end : instruction.offset]) and instruction.opcode != dis.EXTENDED_ARG:
            return True
        if instruction.opname.startswith("<") or instruction.opname == "CACHE":
            return True
        if "PRECALL" in dis.opmap and instruction.opname == "CALL" and previous != "PRECALL":
            return True
        previous, end = instruction.opname, instruction.offset + 2
    starts = ("RESUME", "COPY_FREE_VARS", "MAKE_CELL", "RETURN_GENERATOR")
    first = dis.opname[content[0]] if content else ""
    if "RESUME" in dis.opmap and first not in starts:
        return True
    return any(_is_foreign(constant) for constant in code.co_consts if isinstance(constant, CodeType))


def _version(content: bytes) -> str:
    """The version by the layout of marshalled code: the number of integers before the operations."""
    if content[25:26] == b"s":
        return "3.8 to 3.10"
    if content[21:22] in (b"s", b"\xf3"):
        return _OLDEST_STARTS.get(content[26:27], "3.7 or older")
    return "of another version"
