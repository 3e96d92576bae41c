"""Files as text: in the encoding that the recipe names, or an error that says where it is another one."""

from __future__ import annotations

import codecs
from pathlib import Path

from tfopt.errors import StageError


def decoded(path: Path, encoding: str) -> str:
    r"""The text of a file, with `\n` at the end of lines and without a byte order mark.

    Args:
        path: of the file.
        encoding: that the recipe names.

    Raises:
        StageError: it cannot be read, is in another encoding, or is no text.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StageError(f"{path} cannot be read: {error}.", code="data_unreadable") from error
    utf_8 = codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")
    try:
        text = content.decode("utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise StageError(
            f"{path}:{line} is not {encoding} text: byte 0x{content[error.start]:02x} ({error.reason}).",
            f"Name its encoding, e.g. data.text.encoding: {_likely(content)}.",
            code="data_unreadable",
        ) from error
    if not utf_8 and _is_utf_8(content):
        raise StageError(
            f"{path} is UTF-8 text with letters beyond ASCII, but data.text.encoding is {encoding}.",
            "Remove data.text.encoding.",
            code="data_unreadable",
        )
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise StageError(
            f"{path}:{line} has a NUL character: it is no text, or not {encoding}.",
            f"Name its encoding, e.g. data.text.encoding: {_likely(content)}.",
            code="data_unreadable",
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _likely(content: bytes) -> str:
    return "utf-16" if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\0" in content else "latin-1"


def _is_utf_8(content: bytes) -> bool:
    """Whether bytes beyond ASCII are there, and all are UTF-8, which they are by chance almost never."""
    try:
        return len(content.decode("utf-8")) < len(content)
    except UnicodeDecodeError:
        return False
