"""The weights and layers of a `.keras`, `.h5` or SavedModel file.

Read as data: no layer is built and no code of the file runs, so files of Keras 2, of Keras 3 and from unknown
sources can be inspected.
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

from tfopt.backend.types import Array
from tfopt.core.claims.tflite import pooled_sparsity
from tfopt.core.records.report import AuditRecord, PortRecord, TensorRecord
from tfopt.errors import ExportError, UsageError

_HDF5 = (".h5", ".hdf5")
_SERVING = "serving_default"
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_NOT_WEIGHTS = ("optimizer", "keras_api", "save_counter", "_operations")
_MALFORMED = (OSError, KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile)


def audit_keras(path: Path | str) -> AuditRecord:
    """Audits a `.keras` or `.h5` file or a SavedModel folder.

    Returns:
        Weights as tensors, layer types as operators. Kernels are the weights of two axes and more.

    Raises:
        UsageError: the file is of a different type.
        ExportError: it is malformed.
    """
    path = Path(path)
    if path.is_dir():
        return _saved_model(path)
    if path.suffix != ".keras" and path.suffix not in _HDF5:
        raise UsageError(
            f"{path} is of a type that cannot be inspected.",
            "Expected .tflite, .keras, .h5, or a SavedModel folder.",
            code="unknown_file_type",
        )
    try:
        return _archive(path) if path.suffix == ".keras" else _hdf5(path)
    except _MALFORMED as error:
        raise ExportError(f"{path} is malformed: {type(error).__name__}: {error}.", code="malformed_file") from error


def _archive(path: Path) -> AuditRecord:
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        content = archive.read("model.weights.h5")
    names = dict(_containers(config.get("config", {}), ""))
    tensors: list[TensorRecord] = []
    with h5py.File(io.BytesIO(content)) as file:
        for where, values in _datasets(file):
            if where.split("/")[0] in ("layers", "_layer_checkpoint_dependencies", "vars"):
                owners = [prefix for prefix in names if where.startswith(prefix + "/")]
                tensors.append(_tensor(where, names[max(owners, key=len)] if owners else None, values))
    return _record(tensors, config)


def _hdf5(path: Path) -> AuditRecord:
    with h5py.File(path) as file:
        root = file.get("model_weights", file)
        tensors = [_tensor(where, _hdf5_layer(where), values) for where, values in _datasets(root)]
        config = json.loads(file.attrs["model_config"]) if "model_config" in file.attrs else {}
    return _record(tensors, config)


def _hdf5_layer(where: str) -> str | None:
    """The layer of a variable: a top-level layer contains its variables under names that begin with their own layer."""
    segments = where.split("/")
    return segments[1] if len(segments) > 2 else segments[0] if len(segments) == 2 else None


def _saved_model(path: Path) -> AuditRecord:
    """From the checkpoint and the signatures' descriptions: TensorFlow runs initializers while it loads a graph."""
    import tensorflow as tf
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel()
    try:
        model.ParseFromString((path / "saved_model.pb").read_bytes())
        tensors = list(_checkpoint(path / "variables" / "variables")) if (path / "variables").is_dir() else []
    except (OSError, ValueError, DecodeError, tf.errors.OpError) as error:
        raise ExportError(f"{path} cannot be read as a SavedModel: {error}.", code="malformed_file") from error
    graph = model.meta_graphs[0] if model.meta_graphs else None
    signatures = {} if graph is None else {k: v for k, v in graph.signature_def.items() if not k.startswith("__")}
    first = signatures[min(signatures, key=lambda key: (key != _SERVING, key))] if signatures else None
    return _record(
        sorted(tensors, key=lambda tensor: tensor.name),
        {},
        inputs=[] if first is None else [_port(name, first.inputs[name]) for name in sorted(first.inputs)],
        outputs=[] if first is None else [_port(name, first.outputs[name]) for name in sorted(first.outputs)],
        signatures=sorted(signatures),
    )


def _checkpoint(prefix: Path) -> Iterator[TensorRecord]:
    """The variables of a checkpoint under their own names, without those of an optimizer."""
    import tensorflow as tf
    from tensorflow.core.protobuf import trackable_object_graph_pb2

    reader = tf.train.load_checkpoint(str(prefix))
    stored = reader.get_variable_to_shape_map()
    names = {key: key for key in stored}
    if _OBJECT_GRAPH in stored:
        objects = trackable_object_graph_pb2.TrackableObjectGraph()
        objects.ParseFromString(reader.get_tensor(_OBJECT_GRAPH))
        names = {
            attribute.checkpoint_key: attribute.full_name
            for node in objects.nodes
            for attribute in node.attributes
            if attribute.name == "VARIABLE_VALUE"
        }
    for key, name in names.items():
        if key in stored and key.split("/")[0] not in _NOT_WEIGHTS and ".OPTIMIZER_SLOT" not in key:
            yield _tensor(name, name.split("/")[0] if "/" in name else None, np.asarray(reader.get_tensor(key)))


def _port(name: str, info: Any) -> PortRecord:
    import tensorflow as tf

    shape = [] if info.tensor_shape.unknown_rank else [dim.size for dim in info.tensor_shape.dim]
    return PortRecord(name=name, dtype=tf.as_dtype(info.dtype).name, shape=shape)


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


def _tensor(name: str, layer: str | None, values: Array) -> TensorRecord:
    return TensorRecord(
        name=name,
        layer=layer,
        dtype=str(values.dtype),
        shape=list(values.shape),
        bytes=int(values.nbytes),
        sparsity=float(np.mean(values == 0)) if values.size else 0.0,
        unique=int(np.unique(values).size),
        quantization="none",
        role="weight" if values.ndim >= 2 else "bias",
    )


def _record(
    tensors: list[TensorRecord],
    config: Mapping[str, Any],
    inputs: list[PortRecord] | None = None,
    outputs: list[PortRecord] | None = None,
    signatures: list[str] | None = None,
) -> AuditRecord:
    layers = list(_layers(config.get("config", {})))
    return AuditRecord(
        inputs=_inputs(config) if inputs is None else inputs,
        outputs=outputs or [],
        operators=dict(sorted(Counter(layer["class_name"] for layer in layers).items())),
        float_operators={},
        sparsity=pooled_sparsity([tensor for tensor in tensors if tensor.role == "weight"]),
        tensors=tensors,
        signatures=signatures or [],
    )


def _layers(config: Any) -> Iterator[Mapping[str, Any]]:
    for layer in config.get("layers", ()) if isinstance(config, Mapping) else ():
        yield layer
        yield from _layers(layer["config"])


def _inputs(config: Mapping[str, Any]) -> list[PortRecord]:
    layers = config.get("config", {}).get("layers", ()) if isinstance(config.get("config"), Mapping) else ()
    return [_input(layer["config"]) for layer in layers if layer["class_name"] == "InputLayer"]


def _input(config: Mapping[str, Any]) -> PortRecord:
    shape = config.get("batch_input_shape") or config.get("batch_shape") or []
    return PortRecord(
        name=str(config.get("name", "")),
        dtype=str(config.get("dtype") or "float32"),
        shape=[-1 if size is None else int(size) for size in shape],
    )
