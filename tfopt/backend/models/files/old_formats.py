"""Configurations as earlier versions of Keras 2 wrote them, rewritten for today's."""

from __future__ import annotations

from collections.abc import Mapping

from tfopt.backend.types import Config, Json
from tfopt.errors import StageError

_RENAMED = {
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "LSTMV1": "LSTM",
    "LSTMV2": "LSTM",
    "UnifiedLSTM": "LSTM",
    "GRUV1": "GRU",
    "GRUV2": "GRU",
    "UnifiedGRU": "GRU",
}
"""Classes that had names of their own between TensorFlow 1.13 and 2.0; the weights have the same layout."""
_CUDNN: Mapping[str, tuple[str, Config]] = {
    "CuDNNLSTM": ("LSTM", {"activation": "tanh", "recurrent_activation": "sigmoid"}),
    "CuDNNGRU": ("GRU", {"activation": "tanh", "recurrent_activation": "sigmoid", "reset_after": True}),
}
"""GPU-only layers of TensorFlow 1 and the layers that compute the same; tf_keras rearranges their weights on load."""


def modernized(config: dict[str, Json], version: str, source: str) -> dict[str, Json]:
    """A configuration that tf_keras reads.

    Args:
        config: of a model, without compile settings.
        version: the Keras that wrote it.
        source: the file, for the error.

    Raises:
        StageError: it is of Keras 1, whose layers have different arguments.
    """
    if version.startswith(("0.", "1.")):
        raise StageError(
            f"{source} was written by Keras {version}: its layers have different arguments than those of Keras 2.",
            "Load and save it once with Keras 2.0 to 2.2, which read both.",
            code="model_unreadable",
        )
    return _rewritten(config)


def _inside(value: Json) -> Json:
    if isinstance(value, list):
        return [_inside(part) for part in value]
    return _rewritten(value) if isinstance(value, dict) else value


def _rewritten(value: dict[str, Json]) -> dict[str, Json]:
    part = {key: _inside(inner) for key, inner in value.items()}
    name, config, module = part.get("class_name"), part.get("config"), part.get("module")
    if isinstance(module, str) and module.startswith("keras.engine."):
        # The package of Keras in TensorFlow 2.12 was one folder higher than in all later versions.
        part["module"] = module.replace("keras.engine.", "keras.src.engine.", 1)
    if name == "Sequential" and isinstance(config, list):
        # Keras before 2.2.3; tf_keras still reads it at the top, and fails with a TypeError where it is nested.
        part["config"] = {"name": None, "layers": config}
    elif isinstance(name, str) and name in _RENAMED and module is None:
        part["class_name"] = _RENAMED[name]
    elif isinstance(name, str) and name in _CUDNN and module is None and isinstance(config, dict):
        part["class_name"], arguments = _CUDNN[name]
        part["config"] = {**config, **arguments}
    return part
