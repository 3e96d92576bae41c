"""The weights, layers, signatures and operations of a SavedModel, read as data.

From the checkpoint and the descriptions in `saved_model.pb`: TensorFlow runs initializers while it loads a graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import trackable_object_graph_pb2

from tfopt.backend.audit.keras_record import architecture, record, tensor_record
from tfopt.backend.models.files import saved_model_graph
from tfopt.core.records.report import AuditRecord, PortRecord, TensorRecord
from tfopt.errors import ExportError, StageError

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo

_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_NOT_WEIGHTS = ("optimizer", "keras_api", "save_counter", "_operations")


def audit_saved_model(path: Path) -> AuditRecord:
    """Audits a SavedModel folder.

    Returns:
        Layer types as operators where Keras 2 wrote the model, else the operations of the signature that is served.

    Raises:
        ExportError: it is malformed.
    """
    try:
        graph = saved_model_graph.meta_graph(path)
        tensors = list(_checkpoint(path / "variables" / "variables")) if (path / "variables").is_dir() else []
        tensors.sort(key=lambda tensor: tensor.name)
        audit = record("saved_model", tensors, architecture(path))
    except StageError as error:
        raise ExportError(str(error), code="malformed_file") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, tf.errors.OpError) as error:
        raise ExportError(f"{path} cannot be read as a SavedModel: {error}.", code="malformed_file") from error
    signatures = saved_model_graph.signatures(graph)
    if not signatures:
        return audit
    served = signatures[min(signatures, key=lambda key: (key != saved_model_graph.SERVING, key))]
    operations = dict(sorted(saved_model_graph.operations(graph, served).items()))
    return audit.model_copy(
        update={
            "inputs": [_port(name, served.inputs[name]) for name in sorted(served.inputs)],
            "outputs": [_port(name, served.outputs[name]) for name in sorted(served.outputs)],
            "signatures": list(signatures),
            "operators": audit.operators or operations,
        }
    )


def _checkpoint(prefix: Path) -> Iterator[TensorRecord]:
    """The variables of a checkpoint under their own names, without those of an optimizer."""
    reader = tf.train.load_checkpoint(str(prefix))
    stored = reader.get_variable_to_shape_map()
    names = {key: key for key in stored}
    if _OBJECT_GRAPH in stored:
        objects = trackable_object_graph_pb2.TrackableObjectGraph()
        objects.ParseFromString(reader.get_tensor(_OBJECT_GRAPH))
        names = {
            attribute.checkpoint_key: attribute.full_name or attribute.checkpoint_key.partition("/.ATTRIBUTES")[0]
            for node in objects.nodes
            for attribute in node.attributes
            if attribute.name == "VARIABLE_VALUE"
        }
    for key, name in names.items():
        if key in stored and key.split("/")[0] not in _NOT_WEIGHTS and ".OPTIMIZER_SLOT" not in key:
            yield tensor_record(name, name.split("/")[0] if "/" in name else None, np.asarray(reader.get_tensor(key)))


def _port(name: str, info: TensorInfo) -> PortRecord:
    shape = None if info.tensor_shape.unknown_rank else [dim.size for dim in info.tensor_shape.dim]
    return PortRecord(name=name, dtype=tf.as_dtype(info.dtype).name, shape=shape)
