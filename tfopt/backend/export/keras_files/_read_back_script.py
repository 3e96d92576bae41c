"""Opens a `.keras` file with plain Keras: a script for a process of its own.

It imports Keras and NumPy only; `tfopt.backend.export.keras_files.read_back` starts it.
"""

import importlib
import json
import sys
from operator import attrgetter

import keras
import numpy as np

_OTHERS = ("tf_keras", "tfopt", "tensorflow_model_optimization")


def _named(where: str, registered: str) -> object:
    """A class or function of a module, or what importing the module has registered, where it is inside a function."""
    module, _, name = where.partition(":")
    imported = importlib.import_module(module)
    try:
        return attrgetter(name)(imported)
    except AttributeError:
        return keras.saving.get_registered_object(registered)


def main(request: str, reply: str) -> None:
    """Loads the model, predicts the examples, and writes a reply."""
    with open(request, encoding="utf-8") as file:
        content = json.load(file)
    objects = {}
    try:
        model = keras.models.load_model(content["path"], compile=False)
    except (TypeError, ValueError):
        if not content["custom_objects"]:
            raise
        objects = {name: _named(where, name) for name, where in content["custom_objects"].items()}
        model = keras.models.load_model(content["path"], custom_objects=objects, compile=False)
    inputs = [np.load(path) for path in content["inputs"]]
    struct = getattr(model, "_inputs_struct", None)
    packed = inputs[0] if len(inputs) == 1 else inputs
    if isinstance(struct, dict | tuple) and len(inputs) > 1:
        packed = keras.tree.pack_sequence_as(struct, inputs)
    elif isinstance(struct, dict):
        packed = {next(iter(struct)): inputs[0]}
    outputs = keras.tree.flatten(model.predict(packed, batch_size=content["batch_size"], verbose=0))
    for path, values in zip(content["outputs"], outputs, strict=True):
        np.save(path, np.asarray(values))
    loaded = sorted(name for name in _OTHERS if name in sys.modules)
    with open(reply, "w", encoding="utf-8") as file:
        json.dump({"keras": keras.__version__, "custom_objects": sorted(objects), "others": loaded}, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
