"""Reads `saved_model.pb` as data: the Keras description in it, its signatures, and the operations that it would run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2
from tf_keras.protobuf import saved_metadata_pb2

from tfopt.backend.compat.tensorflow_runtime import op_def_registry
from tfopt.catalog.guard import guarded
from tfopt.errors import StageError

if TYPE_CHECKING:
    from tensorflow.core.framework.node_def_pb2 import NodeDef
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef, SignatureDef

SERVING = "serving_default"
_SEPARATE = "keras_metadata.pb"
_PLUMBING = frozenset({
    "Const", "Identity", "IdentityN", "NoOp", "Placeholder", "PartitionedCall", "StatefulPartitionedCall",
    "ReadVariableOp", "VarHandleOp", "StopGradient",
})  # fmt: skip
"""What every function of TensorFlow has, whatever it computes."""
_STATE_OF_ITS_OWN = frozenset({
    *("VarHandleOp", "ReadVariableOp", "AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp"),
    *("VarIsInitializedOp", "DestroyResourceOp", "ResourceGather", "ResourceGatherNd", "Variable", "VariableV2"),
    *("StatefulPartitionedCall", "If", "While", "Case", "SymbolicGradient", "Assert", "Print", "PrintV2"),
    *("HashTable", "HashTableV2", "MutableHashTableV2", "LookupTableFindV2", "LookupTableImportV2"),
    *("LookupTableExportV2", "LookupTableSizeV2", "LookupTableInsertV2", "InitializeTableV2"),
    *("InitializeTable", "LookupTableFind", "InitializeTableFromTextFile", "InitializeTableFromTextFileV2"),
    *("TruncatedNormal", "Multinomial", "ParameterizedTruncatedNormal", "IsVariableInitialized", "Bucketize"),
    *("AnonymousHashTable", "Placeholder", "DisableCopyOnRead", "MutexV2"),
})  # fmt: skip
"""Operations with state that stays in the model: variables, tables, calls, printing."""
_CHECKPOINTS = frozenset({"SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename", "Save", "Restore"})
"""Operations that write and read the model's own checkpoint; no signature has them."""
_REACHES_OUT = ("PyFunc", "ReadFile", "MatchingFiles", "WholeFile")
"""Operations that are declared free of state, and call Python or read files."""


def meta_graph(path: Path) -> MetaGraphDef:
    """The graph for serving of a SavedModel, with its functions, signatures and objects; nothing of it runs.

    Raises:
        StageError: it cannot be read.
    """
    model = saved_model_pb2.SavedModel()
    try:
        model.ParseFromString((path / "saved_model.pb").read_bytes())
    except (OSError, DecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StageError(f"{path} cannot be read as a SavedModel: {reason}.", code="model_unreadable") from error
    if not model.meta_graphs:
        raise StageError(f"The SavedModel {path} has no graph.", code="model_unreadable")
    return next((graph for graph in model.meta_graphs if "serve" in graph.meta_info_def.tags), model.meta_graphs[0])


def keras_description(path: Path) -> dict[str, object] | None:
    """What Keras 2 wrote about the model of a SavedModel, or None where Keras did not write it.

    TensorFlow 2.5 and later keep it in a file of its own, 2.0 to 2.4 among the objects of `saved_model.pb`.

    Raises:
        StageError: it cannot be read.
    """
    separate = path / _SEPARATE
    if separate.is_file():
        nodes = saved_metadata_pb2.SavedMetadata()
        guarded(lambda: nodes.ParseFromString(separate.read_bytes()), f"Reading {separate}")
        texts = [node.metadata for node in nodes.nodes if node.node_path == "root"]
    else:
        objects = meta_graph(path).object_graph_def.nodes
        keras = objects and objects[0].user_object.identifier.startswith("_tf_keras")
        texts = [objects[0].user_object.metadata] if keras else []
    if not texts or not texts[0]:
        return None
    root = guarded(lambda: json.loads(texts[0]), f"Reading what Keras wrote into {path}")
    return root if isinstance(root, dict) else None


def signatures(graph: MetaGraphDef) -> dict[str, SignatureDef]:
    """The signatures that can be called, by key."""
    return {key: graph.signature_def[key] for key in sorted(graph.signature_def) if not key.startswith("__")}


def operations(graph: MetaGraphDef, signature: SignatureDef) -> Counter[str]:
    """The operations that a signature computes with, functions and loops included, each function once."""
    found = Counter(node.op for node in _reached(graph, [output.name for output in signature.outputs.values()]))
    return Counter({name: number for name, number in found.items() if name not in _PLUMBING})


def unsafe_operations(graph: MetaGraphDef) -> list[str]:
    """Operations in any function of a SavedModel that reach beyond tensors and the model's own state."""
    functions = [node for function in graph.graph_def.library.function for node in function.node_def]
    return sorted({node.op for node in [*graph.graph_def.node, *functions] if not _harmless(node.op)})


def _harmless(name: str) -> bool:
    if name in _STATE_OF_ITS_OWN or name in _CHECKPOINTS or name.startswith(("Random", "StatelessRandom")):
        return True
    definition = op_def_registry.get(name)
    return definition is not None and not definition.is_stateful and not name.startswith(_REACHES_OUT)


def _reached(graph: MetaGraphDef, outputs: Iterable[str]) -> Iterator[NodeDef]:
    """Nodes that some tensors depend on, and those of the functions that they call."""
    nodes: Mapping[str, NodeDef] = {node.name: node for node in graph.graph_def.node}
    functions = {function.signature.name: function for function in graph.graph_def.library.function}
    open_nodes, seen = [_node_of(name) for name in outputs], set[str]()
    open_functions, called = list[str](), set[str]()
    while open_nodes:
        name = open_nodes.pop()
        if name in seen or name not in nodes:
            continue
        seen.add(name)
        yield nodes[name]
        open_nodes += [_node_of(source) for source in nodes[name].input]
        open_functions += _called(nodes[name])
    while open_functions:
        name = open_functions.pop()
        if name in called or name not in functions:
            continue
        called.add(name)
        for node in functions[name].node_def:
            yield node
            open_functions += _called(node)


def _node_of(tensor: str) -> str:
    return tensor.removeprefix("^").partition(":")[0]


def _called(node: NodeDef) -> list[str]:
    values = node.attr.values()
    return [value.func.name for value in values if value.func.name] + [
        function.name for value in values for function in value.list.func
    ]
