"""The same model gives the same SavedModel, byte for byte.

TensorFlow names functions with a number that counts every operation of the process so far, eager ones included. How
many those are depends on the clock (how often progress was shown), so the same run gave files of 88,296 to 88,299
bytes. Here the functions are numbered again, in the order of their old numbers.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from tensorflow.core.protobuf import fingerprint_pb2, saved_model_pb2

from tfopt.backend.compat.tensorflow_runtime import fingerprinting_utils

_NUMBERED = re.compile(r"(__(?:inference|forward|backward)_.*?)(\d+)(?=$|_specialized|:)")
_FILE = "saved_model.pb"
_ARGUMENT = "_user_specified_name"


class OrderedArchive(tf_keras.export.ExportArchive):
    """tf_keras' archive, with the variables of the endpoints in the model's order.

    tf_keras takes them from a set, whose order depends on addresses in memory.
    """

    def _filter_and_track_resources(self) -> None:
        super()._filter_and_track_resources()
        position = {id(variable): index for index, variable in enumerate(self.variables)}
        self._all_variables: list[tf.Variable] = sorted(
            self._all_variables, key=lambda variable: position.get(id(variable), len(position))
        )


def make_canonical(folder: Path) -> None:
    """Rewrites the graph of a SavedModel in place; what it computes stays the same.

    Args:
        folder: a SavedModel.
    """
    path = folder / _FILE
    message = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    names = sorted({name for name in _strings(message) if _NUMBERED.match(name)}, key=_number)
    renamed = {name: _NUMBERED.sub(rf"\g<1>{index}", name, count=1) for index, name in enumerate(names)}
    _rename(message, renamed)
    for meta_graph in message.meta_graphs:
        _drop_handle_numbers(meta_graph.graph_def)
        meta_graph.graph_def.library.function.sort(key=lambda function: function.signature.name)
    path.write_bytes(message.SerializeToString(deterministic=True))
    _write_fingerprint(folder)


def _write_fingerprint(folder: Path) -> None:
    """TensorFlow's own fingerprint of the new graph, with an identifier derived from it instead of a random one."""
    path = folder / "fingerprint.pb"
    path.unlink(missing_ok=True)
    fingerprinting_utils.write_fingerprint(str(folder))
    fingerprint = fingerprint_pb2.FingerprintDef.FromString(path.read_bytes())
    fingerprint.uuid = str(fingerprint.saved_model_checksum)
    path.write_bytes(fingerprint.SerializeToString(deterministic=True))


def _drop_handle_numbers(graph: Any) -> None:
    """Captured variables carry the number of their handle as a name of their argument."""
    functions = graph.library.function
    nodes = [*graph.node, *(node for function in functions for node in function.node_def)]
    attributes = [node.attr for node in nodes]
    attributes += [arguments.attr for function in functions for arguments in function.arg_attr.values()]
    for attribute in attributes:
        if _ARGUMENT in attribute and attribute[_ARGUMENT].s.isdigit():
            del attribute[_ARGUMENT]


def _number(name: str) -> tuple[int, str]:
    found = _NUMBERED.match(name)
    return (int(found[2]) if found else 0), name


def _strings(message: Message) -> set[str]:
    """Every string in a message, keys of maps included."""
    found: set[str] = set()
    for field, value in message.ListFields():
        if _is_map(field):
            found.update(key for key in value if isinstance(key, str))
            parts: list[object] = list(value.values())
        else:
            parts = list(value) if _is_repeated(field) else [value]
        for part in parts:
            if isinstance(part, Message):
                found |= _strings(part)
            elif isinstance(part, str):
                found.add(part)
    return found


def _rename(message: Message, renamed: dict[str, str]) -> None:
    for field, value in message.ListFields():
        if _is_map(field):
            _rename_map(value, renamed)
        elif _is_repeated(field):
            for index, part in enumerate(value):
                if isinstance(part, Message):
                    _rename(part, renamed)
                elif part in renamed:
                    value[index] = renamed[part]
        elif isinstance(value, Message):
            _rename(value, renamed)
        elif value in renamed:
            setattr(message, field.name, renamed[value])


def _rename_map(value: Any, renamed: dict[str, str]) -> None:
    for key in list(value):
        part = value[key]
        if isinstance(part, Message):
            _rename(part, renamed)
        elif part in renamed:
            value[key] = renamed[part]
        if key in renamed:
            if isinstance(part, Message):
                value[renamed[key]].CopyFrom(part)
            else:
                value[renamed[key]] = value[key]
            del value[key]


def _is_repeated(field: FieldDescriptor) -> bool:
    return bool(field.is_repeated)


def _is_map(field: FieldDescriptor) -> bool:
    return bool(field.message_type is not None and field.message_type.GetOptions().map_entry)
