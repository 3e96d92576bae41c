"""Functions that tests run in a child process; importable at once."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any


def convert_or_die(conversions: list[dict[str, Any]]) -> None:
    """Stands in for the converter: dies at `deadly`, refuses `odd`, writes the rest."""
    for conversion in conversions:
        name = Path(conversion["target"]).stem
        if name == "deadly":
            os.kill(os.getpid(), signal.SIGSEGV)
        if name == "odd":
            raise RuntimeError("op is neither custom nor builtin\nloc: callsite")
        Path(conversion["target"]).write_bytes(b"done")


def time_and_tell(files: list[str], example: dict[str, str]) -> dict[str, Any]:
    """Times files, and says which of the large packages that took."""

    from tfopt.backend.tflite import benchmark

    rows = benchmark.time_files(files, 1, 3, example)
    return {"rows": rows, "loaded": sorted({"tensorflow", "tf_keras", "keras"} & set(sys.modules))}
