"""The C array compiles, and is the file byte for byte."""

from __future__ import annotations

import shutil
import subprocess
import zlib
from pathlib import Path

import pytest

from tfopt.backend.micro.c_array import write_c_array

CONTENT = bytes(range(256)) * 3 + b"end"
MAIN = """
#include <cstdint>
#include <cstdio>
#include "my-int8.h"
int main() {
  if (reinterpret_cast<std::uintptr_t>(g_my_int8_model) % 16) return 1;
  std::printf("%u %x %u\\n", k_my_int8_model_bytes, k_my_int8_model_crc32, k_my_int8_model_arena_bytes);
  for (unsigned int i = 0; i < k_my_int8_model_bytes; ++i) std::printf("%02x", g_my_int8_model[i]);
}
"""


def model(folder: Path) -> Path:
    file = folder / "my-int8.tflite"
    file.write_bytes(CONTENT)
    return file


def test_the_header_names_operators_sizes_and_checksums(tmp_path: Path) -> None:
    made = write_c_array(model(tmp_path), ["SOFTMAX", "CONV_2D", "CONV_2D"], 4640)
    header = made.header.read_text(encoding="ascii")
    assert "MicroMutableOpResolver<2> with CONV_2D, SOFTMAX." in header
    assert f"SHA-256 {made.sha256}" in header
    assert "k_my_int8_model_arena_bytes = 4640;" in header
    assert made.crc32 == zlib.crc32(CONTENT)
    unknown = write_c_array(model(tmp_path), [], None).header.read_text(encoding="ascii")
    assert "arena_bytes" not in unknown
    assert "The size of the arena is not known" in unknown


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_the_array_compiles_and_is_the_file(tmp_path: Path) -> None:
    made = write_c_array(model(tmp_path), ["CONV_2D"], 4640)
    (tmp_path / "main.cc").write_text(MAIN, encoding="ascii")
    command = ["g++", "-std=c++17", "-Wall", "-Werror", "main.cc", made.source.name, "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True)
    printed = subprocess.run([str(tmp_path / "main")], check=True, capture_output=True, text=True).stdout
    sizes, values = printed.split("\n")
    assert sizes == f"{len(CONTENT)} {made.crc32:x} 4640"
    assert bytes.fromhex(values) == CONTENT
