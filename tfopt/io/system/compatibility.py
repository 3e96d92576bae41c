"""What in an environment cannot work, each with its one-line fix: known before anything heavy is imported."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec
from pathlib import Path

from tfopt.core.records.report import Environment
from tfopt.io.system.environment import PACKAGES, package_version

SUPPORTED_PYTHON = ((3, 10), (3, 13))
OLDEST = {"tensorflow": (2, 20), "tfmot": (0, 8, 1), "litert": (2, 1)}
"""First versions that work, by report column."""


def mismatches(
    found: Environment,
    variables: Mapping[str, str],
    installed: Callable[[str], str] = package_version,
    required: Callable[[str], list[str]] | None = None,
    has_distutils: bool | None = None,
    keras_settings: Mapping[str, object] | None = None,
) -> list[str]:
    """Everything that cannot work, each with its fix.

    Args:
        found: versions by package; empty where missing.
        variables: environment variables.
        installed: the version of any other package; empty where it is missing.
        required: what an installed package asks of others, as lines of its metadata.
        has_distutils: whether `import distutils` works; found out by default.
        keras_settings: the content of the user's keras.json; read by default.
    """
    importable = find_spec("distutils") is not None if has_distutils is None else has_distutils
    settings = read_keras_settings(variables) if keras_settings is None else keras_settings
    return [
        *missing(found),
        *_python(found),
        *_versions(found),
        *_requirements(found, installed, required or _requires),
        *_distutils(found, importable),
        *_variables(variables),
        *_settings(variables, settings),
    ]


def missing(found: Environment) -> list[str]:
    """Packages without which nothing works, each with its fix."""
    return [
        f"{PACKAGES[column]} is not installed: pip install {PACKAGES[column]}"
        for column in PACKAGES
        if not getattr(found, column)
    ]


def _python(found: Environment) -> list[str]:
    first, last = SUPPORTED_PYTHON
    if not found.python or first <= _numbers(found.python)[:2] <= last:
        return []
    return [
        f"Python {found.python} is not supported: tensorflow and tfopt work with {_text(first)} to {_text(last)}. Make "
        f"a virtual environment with Python {_text(last)}"
    ]


def _versions(found: Environment) -> list[str]:
    wrong: list[str] = []
    for column, oldest in OLDEST.items():
        version = getattr(found, column)
        if version and _numbers(version) < oldest:
            package = PACKAGES[column]
            wrong.append(f"{package} {version} is too old: pip install '{package}>={_text(oldest)}'")
    if found.tensorflow and found.tf_keras and _numbers(found.tensorflow)[:2] != _numbers(found.tf_keras)[:2]:
        minor = _text(_numbers(found.tensorflow)[:2])
        wrong.append(
            f"tf-keras {found.tf_keras} does not fit tensorflow {found.tensorflow}: pip install 'tf-keras=={minor}.*'"
        )
    if found.keras and _numbers(found.keras) < (3,):
        wrong.append(f"keras {found.keras} is not Keras 3: pip install 'keras>=3.10'")
    return wrong


def _requirements(
    found: Environment, installed: Callable[[str], str], required: Callable[[str], list[str]]
) -> list[str]:
    """NumPy and protobuf as the installed tensorflow asks for them: others are often pulled in by other packages."""
    if not found.tensorflow:
        return []
    from packaging.requirements import Requirement

    wrong: list[str] = []
    for line in required(PACKAGES["tensorflow"]):
        requirement = Requirement(line)
        version = installed(requirement.name) if requirement.name in ("numpy", "protobuf", "h5py", "ml_dtypes") else ""
        if version and requirement.marker is None and not requirement.specifier.contains(version, prereleases=True):
            wrong.append(
                f"{requirement.name} {version} does not fit tensorflow {found.tensorflow}: "
                f"pip install '{requirement.name}{requirement.specifier}'"
            )
    return wrong


def _distutils(found: Environment, importable: bool) -> list[str]:
    if importable or not found.tfmot:
        return []
    return [
        f"tensorflow-model-optimization {found.tfmot} imports distutils, which Python {found.python} does not have "
        "without setuptools: pip install setuptools"
    ]


def _variables(variables: Mapping[str, str]) -> list[str]:
    wrong: list[str] = []
    legacy = variables.get("TF_USE_LEGACY_KERAS", "1")
    if legacy.lower() not in ("1", "true"):
        wrong.append(
            f"TF_USE_LEGACY_KERAS={legacy} makes tf.keras mean Keras 3, which tfmot cannot use: "
            "unset TF_USE_LEGACY_KERAS"
        )
    backend = variables.get("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        wrong.append(
            f"KERAS_BACKEND={backend} builds Keras 3 models on {backend}, and tfopt reads them on tensorflow: "
            "export KERAS_BACKEND=tensorflow"
        )
    return wrong


def read_keras_settings(variables: Mapping[str, str]) -> Mapping[str, object]:
    """The content of keras.json, from which Keras 3 takes its defaults; empty where there is none."""
    file = Path(variables.get("KERAS_HOME") or "~/.keras").expanduser() / "keras.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # Keras uses its defaults then
        return {}
    return found if isinstance(found, dict) else {}


def _settings(variables: Mapping[str, str], settings: Mapping[str, object]) -> list[str]:
    backend = settings.get("backend", "tensorflow")
    wrong: list[str] = []
    if backend != "tensorflow" and "KERAS_BACKEND" not in variables:
        wrong.append(
            f"keras.json chooses the backend {backend}, and tfopt reads Keras 3 models on tensorflow: "
            "export KERAS_BACKEND=tensorflow"
        )
    if settings.get("image_data_format", "channels_last") != "channels_last":
        wrong.append(
            "keras.json says image_data_format: channels_first, which TensorFlow cannot convolve on a processor, nor "
            'TFLite at all: write "image_data_format": "channels_last" into it'
        )
    return wrong


def _requires(package: str) -> list[str]:
    try:
        return requires(package) or []
    except PackageNotFoundError:
        return []


def _numbers(text: str) -> tuple[int, ...]:
    """The release of a version: `2.21.0rc1` -> (2, 21, 0)."""
    from packaging.version import Version

    return Version(text.rstrip("+")).release  # a Python built from source says 3.13.0+


def _text(numbers: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in numbers)
