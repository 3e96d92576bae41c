"""What is inside a `.litertlm`: the model, its tokenizer and its stop tokens."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfopt.backend.text.tokenizer import SENTENCEPIECE_MODEL, TOKENIZER_JSON
from tfopt.errors import EnvironmentProblem, ExportError

_MAGIC = b"LITERTLM"
_HEADER_END, _HEADER = 24, 32


@dataclass(frozen=True)
class Container:
    """The parts of a `.litertlm`.

    Args:
        model: begin and end of the `.tflite` in the file.
        tokenizer: files of the tokenizer by name.
        stop: ids of the tokens that end a text.
    """

    model: tuple[int, int]
    tokenizer: dict[str, bytes] = field(default_factory=dict)
    stop: tuple[int, ...] = ()


def read_container(file: Path) -> Container:
    """Reads the parts of a `.litertlm`.

    Raises:
        EnvironmentProblem: litert-lm-builder is not installed.
        ExportError: the file is no such container, or holds no model that generates.
    """
    try:
        from litert_lm_builder import litertlm_header_schema_py_generated as schema
        from litert_lm_builder.runtime.proto import llm_metadata_pb2
    except ImportError as error:
        raise EnvironmentProblem(
            "Reading a .litertlm needs the package litert-lm-builder, which is not installed.",
            "pip install litert-lm-builder, or give the .tflite in the same folder.",
            code="missing_package",
        ) from error
    data = file.read_bytes()
    model: tuple[int, int] | None = None
    tokenizer: dict[str, bytes] = {}
    stop: tuple[int, ...] = ()
    try:
        for section, begin, end in _sections(data, schema):
            kind = section.DataType()
            if kind == schema.AnySectionDataType.TFLiteModel and model is None:
                model = begin, end
            elif kind == schema.AnySectionDataType.HF_Tokenizer_Zlib:
                tokenizer[TOKENIZER_JSON] = zlib.decompress(data[begin + 8 : end])
            elif kind == schema.AnySectionDataType.SP_Tokenizer:
                tokenizer[SENTENCEPIECE_MODEL] = data[begin:end]
            elif kind == schema.AnySectionDataType.LlmMetadataProto:
                metadata = llm_metadata_pb2.LlmMetadata()
                metadata.ParseFromString(data[begin:end])
                # A stop of several tokens is a text, which this loop does not compare.
                listed = [list(each.token_ids.ids) for each in metadata.stop_tokens]
                stop = tuple(ids[0] for ids in listed if len(ids) == 1)
    except Exception as error:  # a generated reader of someone else's bytes raises whatever it meets
        raise ExportError(f"{file.name} cannot be read as .litertlm: {error}", code="malformed_file") from error
    if model is None:
        raise ExportError(f"{file.name} is a .litertlm without a model.", code="not_generative")
    return Container(model, tokenizer, stop)


def _sections(data: bytes, schema: Any) -> list[tuple[Any, int, int]]:
    if data[: len(_MAGIC)] != _MAGIC:
        raise ValueError(f"it begins with {data[:8]!r}, not with {_MAGIC!r}")
    (end,) = struct.unpack_from("<Q", data, _HEADER_END)
    header = schema.LiteRTLMMetaData.GetRootAs(data[_HEADER:end], 0).SectionMetadata()
    objects = [header.Objects(index) for index in range(header.ObjectsLength())]
    found = [(each, each.BeginOffset(), each.EndOffset()) for each in objects]
    for _, begin, finish in found:
        if not 0 <= begin <= finish <= len(data):
            raise ValueError(f"a section ends at byte {finish}, but the file has {len(data)}")
    return found
