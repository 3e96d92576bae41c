"""What is installed, read from package metadata: no package is imported."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tfopt._version import __version__
from tfopt.core.records.report import Environment

PACKAGES = {
    "tensorflow": "tensorflow",
    "tf_keras": "tf-keras",
    "keras": "keras",
    "tfmot": "tensorflow-model-optimization",
    "litert": "ai-edge-litert",
}
"""Report column -> name on the package index."""

_IN_KEYS = ("tensorflow", "tf_keras", "tfmot")


def package_version(package: str) -> str:
    """The installed version of a package; empty where it is missing."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def environment() -> Environment:
    """Versions, processor and threads of this machine."""
    return Environment(
        python=platform.python_version(),
        cpu=_processor(),
        threads=available_threads(),
        tfopt=__version__,
        **{column: package_version(package) for column, package in PACKAGES.items()},
    )


def key_versions() -> dict[str, str]:
    """The versions that enter stage keys: those that decide what training gives."""
    return {column: package_version(PACKAGES[column]) for column in _IN_KEYS}


def available_threads() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
