from collections.abc import Mapping, Sequence
from typing import Any

class TensorInfo:
    name: str
    dtype: int
    tensor_shape: Any

class SignatureDef:
    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]
    method_name: str

class MetaGraphDef:
    class MetaInfoDef:
        tags: Sequence[str]
        tensorflow_version: str

    meta_info_def: MetaInfoDef
    graph_def: Any
    object_graph_def: Any
    signature_def: Mapping[str, SignatureDef]
