"""The cache of `keras.datasets`, filled and checked before Keras looks at it.

Measured with tf_keras 2.21: a file with a wrong hash is overwritten by a download, and *deleted* when that fails; and
`KERAS_HOME` is not honoured by `get_file`. So files are checked, and missing ones fetched, here; Keras then reads.
Not by `pooch`: it overwrites a file whose hash differs, which may be somebody's own, and brings `requests` with it.
"""

from __future__ import annotations

import hashlib
import os
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from tfopt.atomic import replacing
from tfopt.errors import EnvironmentProblem

_KERAS_FILES = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


@dataclass(frozen=True)
class CachedFile:
    """One file of a Keras data set.

    Args:
        path: below the cache folder.
        url: where it comes from.
        sha256: of its bytes.
    """

    path: str
    url: str
    sha256: str

    @classmethod
    def of_keras(cls, name: str, sha256: str, folder: str = "") -> CachedFile:
        """A file of Google's mirror, in `datasets/` of the cache."""
        return cls("/".join(filter(None, ("datasets", folder, name))), _KERAS_FILES + name, sha256)


def cache_folder() -> Path:
    """`KERAS_HOME`, or `~/.keras`."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras").expanduser()


def ensure(*files: CachedFile) -> str:
    """Makes sure that every file is in the cache, unbroken.

    Returns:
        The cache folder, for the `cache_dir` argument of `keras.datasets.*.load_data`.

    Raises:
        EnvironmentProblem: a file is missing and cannot be fetched, is not the published one (it is left alone), or
            the cache cannot be written.
    """
    cache = cache_folder()
    for file in files:
        path = cache / file.path
        if not path.is_file():
            _fetch(file, path)
        digest = _sha256(path)
        if digest != file.sha256:
            raise EnvironmentProblem(
                f"{path} is not the file that Keras publishes: its SHA-256 is {digest}, expected {file.sha256}.",
                f"Move it away to have it downloaded from {file.url}, or put the right file there.",
                code="checksum_mismatch",
            )
    if not os.access(cache, os.W_OK):
        # Keras would silently look in /tmp/.keras instead.
        raise EnvironmentProblem(
            f"The Keras cache {cache} cannot be written, and Keras does not read such a cache.",
            "Make it writable, or set KERAS_HOME to a copy.",
            code="cannot_write",
        )
    return str(cache)


def _fetch(file: CachedFile, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            urllib.request.urlretrieve(file.url, partial)
    except (OSError, HTTPException) as error:
        raise EnvironmentProblem(
            f"{path} is not in the Keras cache, and it cannot be downloaded: {error}.",
            f"Put the file from {file.url} there (SHA-256 {file.sha256}).",
            code="download_failed",
        ) from error


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
