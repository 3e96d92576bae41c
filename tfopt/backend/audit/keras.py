"""The weights and layers of a `.keras` or `.h5` file.

Read as data, so files of Keras 2, of Keras 3 and from unknown sources can be inspected: the weights are never loaded
into a model, and a layer is built, for the shapes of the outputs, only where the whole configuration is plain Keras.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tfopt.backend.audit.keras_record import architecture, record, tensor_record
from tfopt.backend.types import Array
from tfopt.core.records.report import AuditRecord, TensorRecord
from tfopt.errors import ExportError

_MALFORMED = (OSError, KeyError, ValueError, TypeError, AttributeError, RecursionError, zipfile.BadZipFile)


def audit_keras(path: Path | str) -> AuditRecord:
    """Audits a `.keras` or `.h5` file.

    Returns:
        Weights as tensors, layer types as operators. Kernels are the weights of two axes and more.

    Raises:
        ExportError: it is malformed.
    """
    path = Path(path)
    try:
        tensors = weights(path)
        if not h5py.is_hdf5(path):
            return record("keras", tensors, architecture(path))
        with h5py.File(path) as file:
            whole = "model_config" in file.attrs
        return record("h5", tensors, architecture(path) if whole else None)
    except _MALFORMED as error:
        raise ExportError(f"{path} is malformed: {type(error).__name__}: {error}.", code="malformed_file") from error


def weights(path: Path) -> list[TensorRecord]:
    """The weights of a `.keras` or `.h5` file, without those of its optimizer.

    Raises:
        OSError, KeyError, ValueError, TypeError, AttributeError, BadZipFile: it is malformed.
    """
    if h5py.is_hdf5(path):  # also in a file called .keras: TensorFlow up to 2.11 wrote it so
        with h5py.File(path) as file:
            root = file.get("model_weights", file)
            return [tensor_record(where, _hdf5_layer(where), values) for where, values in _datasets(root)]
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        content = archive.read("model.weights.h5")
    names = dict(_containers(config.get("config", {}), ""))
    tensors: list[TensorRecord] = []
    with h5py.File(io.BytesIO(content)) as file:
        for where, values in _datasets(file):
            if where.split("/")[0] in ("layers", "_layer_checkpoint_dependencies", "vars"):
                owners = [prefix for prefix in names if where.startswith(prefix + "/")]
                tensors.append(tensor_record(where, names[max(owners, key=len)] if owners else None, values))
    return tensors


def _hdf5_layer(where: str) -> str | None:
    """The layer of a variable: a top-level layer contains its variables under names that begin with their own layer."""
    segments = where.split("/")
    return segments[1] if len(segments) > 2 else segments[0] if len(segments) == 2 else None


def _datasets(group: h5py.Group) -> Iterator[tuple[str, Array]]:
    found: list[str] = []
    group.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
    for name in found:
        yield name, np.asarray(group[name])


def _containers(config: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    """Paths of the weights of each layer in a Keras archive: by class, numbered in the order of the layers
    (keras/src/saving/saving_lib.py, `_save_container_state`)."""
    seen: Counter[str] = Counter()
    for layer in config.get("layers", ()):
        kind = _snake_case(layer["class_name"].split(">")[-1])
        container = f"{prefix}layers/{kind}_{seen[kind]}" if seen[kind] else f"{prefix}layers/{kind}"
        seen[kind] += 1
        yield container, layer["config"].get("name") or kind
        if "layers" in layer["config"]:
            yield from _containers(layer["config"], container + "/")


def _snake_case(name: str) -> str:
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
