"""C++ code of a bundle, compiled against the library inside of ai-edge-litert and run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import ai_edge_litert

from tests.support.root import REPOSITORY


def compile_and_run(bundle: Path, name: str, work: Path) -> subprocess.CompletedProcess[str]:
    """Compiles the C++ code of a file against the library inside of ai-edge-litert, and runs it on the golden files."""
    litert, program = Path(ai_edge_litert.__path__[0]), work / f"run_{name}"
    headers = REPOSITORY / "tests" / "support" / "litert_c"
    source = bundle / "snippets" / name / "run.cc"
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", f"-I{headers}"]
    library = [f"-L{litert}", "-lLiteRt", f"-Wl,-rpath,{litert}"]
    built = subprocess.run(["g++", *flags, source, *library, "-o", program], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return subprocess.run([program, bundle], capture_output=True, text=True)
