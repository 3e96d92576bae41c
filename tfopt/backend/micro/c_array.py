"""A `.tflite` file as C source: an aligned array with its size and checksums, for firmware without a file system."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PER_LINE = 16
ALIGNMENT = 16
"""Bytes; TFLite Micro reads the tensors of a model in place."""


@dataclass(frozen=True)
class CArray:
    """The files that were written.

    Args:
        source: `<name>.cc`.
        header: `<name>.h`.
        symbol: name of the array.
        sha256: of the `.tflite` file.
        crc32: of the `.tflite` file.
    """

    source: Path
    header: Path
    symbol: str
    sha256: str
    crc32: int


def write_c_array(file: Path, operators: Iterable[str], arena_bytes: int | None) -> CArray:
    """Writes `<name>.cc` and `<name>.h` next to a `.tflite` file.

    Args:
        file: the model.
        operators: TFLite's names of those that firmware must register.
        arena_bytes: the smallest arena in which it ran in TFLite Micro; None where that is not known.

    Raises:
        OSError: they cannot be written.
    """
    content = file.read_bytes()
    name = re.sub(r"\W", "_", file.stem)
    symbol, prefix = f"g_{name}_model", f"k_{name}_model"
    sha256, crc32 = hashlib.sha256(content).hexdigest(), zlib.crc32(content)
    names = sorted(set(operators))
    about = (
        f"// {file.name}, {len(content)} bytes, SHA-256 {sha256}.\n"
        f"// Written by tfopt: run the recipe again instead of changing it by hand.\n"
    )
    arena = (
        "// The smallest arena in which TFLite Micro ran the file, on a 64-bit computer with its reference kernels. A\n"
        "// 32-bit microcontroller needs somewhat less; kernels made for a processor may need more.\n"
        f"constexpr unsigned int {prefix}_arena_bytes = {arena_bytes};\n"
        if arena_bytes is not None
        else "// The size of the arena is not known: the file was not run in TFLite Micro (package tflite-micro), or\n"
        "// did not run there.\n"
    )
    guard = f"TFOPT_{name.upper()}_H_"
    header = (
        f"{about}#ifndef {guard}\n#define {guard}\n\n"
        f"// Operators to register: MicroMutableOpResolver<{len(names)}> with {', '.join(names)}.\n"
        f"extern const unsigned char {symbol}[];\n"
        f"constexpr unsigned int {prefix}_bytes = {len(content)};\n"
        f"// CRC-32 (IEEE 802.3, as in zlib) of all bytes.\n"
        f"constexpr unsigned int {prefix}_crc32 = 0x{crc32:08x};\n"
        f"{arena}\n#endif  // {guard}\n"
    )
    lines = (content[start : start + _PER_LINE] for start in range(0, len(content), _PER_LINE))
    values = "\n".join("    " + " ".join(f"0x{value:02x}," for value in line) for line in lines)
    source = (
        f'{about}#include "{file.stem}.h"\n\n'
        f"alignas({ALIGNMENT}) const unsigned char {symbol}[{prefix}_bytes] = {{\n{values}\n}};\n"
    )
    made = CArray(file.with_suffix(".cc"), file.with_suffix(".h"), symbol, sha256, crc32)
    made.header.write_text(header, encoding="ascii")
    made.source.write_text(source, encoding="ascii")
    return made
