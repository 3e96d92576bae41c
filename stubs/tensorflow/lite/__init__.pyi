from collections.abc import Callable, Sequence
from typing import Any

from typing_extensions import Self

class TargetSpec:
    supported_ops: Any
    supported_types: Sequence[Any]

class TFLiteConverter:
    optimizations: Sequence[Any]
    target_spec: TargetSpec
    representative_dataset: Any
    inference_input_type: Any
    inference_output_type: Any
    allow_custom_ops: bool
    _experimental_disable_per_channel: bool
    _experimental_disable_per_channel_quantization_for_dense_layers: bool
    @classmethod
    def from_saved_model(cls, saved_model_dir: Any, **kwargs: Any) -> Self: ...
    def convert(self) -> bytes: ...
    _quantize: Callable[..., bytes]

def __getattr__(name: str) -> Any: ...
