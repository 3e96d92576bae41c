"""What is installed, read from package metadata: no package is imported."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import tfopt
from tfopt.core.records import Environment

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
        tfopt=tfopt.__version__,
        **{column: package_version(package) for column, package in PACKAGES.items()},
    )


def key_versions() -> dict[str, str]:
    """The versions that enter stage keys: those that decide what training gives."""
    return {column: package_version(PACKAGES[column]) for column in _IN_KEYS}


def available_threads() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def mismatches(found: Environment, variables: Mapping[str, str]) -> list[str]:
    """What in an environment cannot work, each with its one-line fix.

    Args:
        found: versions by package; empty where missing.
        variables: environment variables.
    """
    missing = [
        f"{PACKAGES[column]} is not installed: pip install {PACKAGES[column]}"
        for column in PACKAGES
        if not getattr(found, column)
    ]
    wrong: list[str] = []
    if found.tensorflow and found.tf_keras and _minor(found.tensorflow) != _minor(found.tf_keras):
        wrong.append(
            f"tf-keras {found.tf_keras} does not fit tensorflow {found.tensorflow}: "
            f"pip install 'tf-keras=={_minor(found.tensorflow)}.*'"
        )
    if found.tfmot and _numbers(found.tfmot) < (0, 8, 1):
        wrong.append(
            f"tensorflow-model-optimization {found.tfmot} is too old: "
            "pip install 'tensorflow-model-optimization>=0.8.1'"
        )
    if found.keras and _numbers(found.keras) < (3,):
        wrong.append(f"keras {found.keras} is not Keras 3: pip install 'keras>=3.10'")
    if variables.get("TF_USE_LEGACY_KERAS", "1").lower() not in ("1", "true"):
        wrong.append(
            f"TF_USE_LEGACY_KERAS={variables['TF_USE_LEGACY_KERAS']} makes tf.keras mean Keras 3, which tfmot cannot "
            "use: unset TF_USE_LEGACY_KERAS"
        )
    return missing + wrong


def _minor(text: str) -> str:
    return ".".join(text.split(".")[:2])


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:3] if part.isdigit())


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
