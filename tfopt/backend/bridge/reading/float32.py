"""A Keras 3 model as it would be in float32: the same layers under the same names, the same values of weights."""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import keras

from tfopt.backend.bridge.custom_code import CustomCode, custom_parts
from tfopt.backend.bridge.reading.functionalize import functional
from tfopt.backend.bridge.reading.own_constructors import made_from, with_names
from tfopt.backend.compat.keras_3 import all_layers
from tfopt.catalog.guard import guarded

OTHER_FLOATS = ("float16", "bfloat16", "float64")
"""What a layer may compute in, or keep its weights in, besides float32."""
_POLICIES = (*OTHER_FLOATS, "mixed_float16", "mixed_bfloat16")


def is_float32(model: keras.Model) -> bool:
    """Whether every layer computes and keeps its weights in float32 or integers, and every input is so."""
    return not any(dtypes(layer) & {*OTHER_FLOATS} for layer in all_layers(model))


def dtypes(layer: keras.layers.Layer) -> set[str]:
    """What a layer of Keras 3 computes in and keeps its weights in; of an input what it takes, whatever its policy."""
    return {layer.dtype} if isinstance(layer, keras.layers.InputLayer) else {layer.compute_dtype, layer.variable_dtype}


def in_float32(model: keras.Model) -> keras.Model:
    """A copy of a model in float32; the model itself where it is that already.

    Made through a file, the only way that keeps vocabularies, too. An explicit cast to another float becomes one to
    float32.

    Args:
        model: built. A subclassed one is traced.

    Raises:
        StageError: it cannot be saved or loaded.
    """
    if is_float32(model):
        return model
    source = functional(model)
    what = f"Making the Keras 3 model {model.name!r} one of float32"
    with tempfile.TemporaryDirectory(prefix="tfopt-float32-") as folder:
        written, changed = Path(folder, "as_it_is.keras"), Path(folder, "float32.keras")
        with with_names(source):
            guarded(lambda: source.save(written), what)
        _change_policies(written, changed)
        # Its own code, which ran when it was built: nothing of a stranger is allowed here.
        with made_from(_own_code(source)):
            return guarded(lambda: keras.models.load_model(changed, compile=False, safe_mode=False), what)


def float32_policies(config: Any) -> Any:
    """A configuration of either Keras with every dtype policy of another float as float32."""
    if isinstance(config, list | tuple):
        changed = [float32_policies(part) for part in config]
        return tuple(changed) if isinstance(config, tuple) else changed
    if not isinstance(config, dict):
        return config
    if config.get("class_name") in ("DTypePolicy", "Policy") and config["config"].get("name") in _POLICIES:
        return {**config, "config": {**config["config"], "name": "float32"}}
    return {
        key: "float32" if key == "dtype" and isinstance(value, str) and value in _POLICIES else float32_policies(value)
        for key, value in config.items()
    }


def _change_policies(written: Path, changed: Path) -> None:
    with zipfile.ZipFile(written) as archive, zipfile.ZipFile(changed, "w") as copy:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "config.json":
                content = json.dumps(float32_policies(json.loads(content))).encode()
            copy.writestr(name, content)


def _own_code(model: keras.Model) -> dict[str, CustomCode]:
    config = keras.saving.serialize_keras_object(model)
    return {
        name: code
        for label, registered, code in custom_parts(config)
        if code is not None
        for name in (label, registered)
    }
