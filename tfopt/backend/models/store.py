"""Keeps a plain model in a folder of the store: `model.keras`, and where the code of its own classes is.

tf_keras pairs weights by attribute path there, so they come back to the layers they belong to. A class from outside
Keras is found again by `module:name`; these names are written by us, for a model that was built from the recipe.
"""

from __future__ import annotations

import importlib
import inspect
import json
from pathlib import Path

import tf_keras

from tfopt.backend.bridge.layer_wrapper import Keras3LayerWrapper
from tfopt.backend.bridge.opened_layer import OwnLayer
from tfopt.backend.graph.layers import all_layers
from tfopt.backend.graph.serialized_names import current_name
from tfopt.catalog.guard import guarded
from tfopt.errors import StageError, StoreError

_MODEL = "model.keras"
_CUSTOM = "custom_objects.json"
_CODE = ("activation", "_initializer", "_regularizer", "_constraint")
"""How the attributes of a layer end that hold code which its configuration names."""
_KNOWN = ("keras", "tf_keras", "tensorflow", "builtins")


def save_model(model: tf_keras.Model, folder: Path) -> None:
    """Writes a model into an existing folder.

    Raises:
        StageError: a layer cannot be saved: no get_config, or its class or function is not at the top of a module.
    """
    custom = _custom_objects(model)
    guarded(lambda: model.save(folder / _MODEL), f"Saving the model {model.name!r}")
    (folder / _CUSTOM).write_text(json.dumps(custom, indent=1, sort_keys=True), encoding="utf-8")


def load_model(folder: Path) -> tf_keras.Model:
    """Reads back what `save_model` wrote: same layers, same weights, same outputs; not compiled.

    Raises:
        StoreError: a file is missing or cannot be read.
        StageError: the code of a custom class is not there any more, or the model cannot be rebuilt.
    """
    try:
        custom = json.loads((folder / _CUSTOM).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{folder} holds no model: {error}.", code="invalid_record") from error
    if not (folder / _MODEL).is_file():
        raise StoreError(f"{folder} holds no {_MODEL}.", code="invalid_record")
    objects = {name: _find(where) for name, where in custom.items()}
    return guarded(
        lambda: tf_keras.models.load_model(folder / _MODEL, custom_objects=objects, compile=False),
        f"Loading {folder / _MODEL}",
    )


def custom_code(model: tf_keras.Model) -> dict[str, object]:
    """Classes and functions from outside Keras and tfopt that a model is made of, by `module:name`.

    Raises:
        StageError: one of them is not at the top of a module.
    """
    places = sorted({where for where in _custom_objects(model).values() if not where.startswith("tfopt.")})
    return {where: _find(where) for where in places}


def _custom_objects(model: tf_keras.Model) -> dict[str, str]:
    """Classes and functions from outside Keras that the model is made of, as `module:name` by Keras name."""
    locations: dict[str, str] = {}
    for layer in all_layers(model):
        named = (value for key, value in vars(layer).items() if key.endswith(_CODE))
        # A host of the bridge is made of classes of its own.
        hosted = layer.wrapped_classes() if isinstance(layer, Keras3LayerWrapper | OwnLayer) else ()
        for part in (type(layer), *named, *hosted):
            code = part if inspect.isroutine(part) or inspect.isclass(part) else type(part)
            if code.__module__.split(".")[0] in _KNOWN:
                continue
            if "." in code.__qualname__ or code.__module__ == "__main__":
                raise StageError(
                    f"The layer {layer.name!r} uses {code.__module__}.{code.__qualname__}, which is out of reach.",
                    "Define it at the top of an importable module.",
                    code="invalid_model",
                )
            for name in (code.__name__, tf_keras.saving.get_registered_name(code)):
                locations[name] = f"{code.__module__}:{code.__qualname__}"
    return locations


def _find(where: str) -> object:
    module, _, name = current_name(where).partition(":")
    return guarded(lambda: getattr(importlib.import_module(module), name), f"Finding {where} again")
