"""Names of tfopt's own classes in saved models: Keras writes module and class name, both of which have changed.

Stores and files of 0.1.0 are read with today's classes, and the fingerprint of a model keeps the first names, so that a
renamed class does not change a store key. Whoever moves or renames a class that Keras serializes adds a row.
"""

from __future__ import annotations

from collections.abc import Mapping

CURRENT_NAMES: Mapping[str, str] = {
    # Not Keras3LayerWrapper itself: Keras looks up the weights in the file by the name of the class.
    "tfopt.backend.bridge.host:KerasHost": "tfopt.backend.bridge.layer_wrapper:KerasHost",
    "tfopt.backend.combining:Vote": "tfopt.backend.ensembling.combine:Vote",
    "tfopt.backend.combining:ToLogits": "tfopt.backend.ensembling.combine:ToLogits",
}
"""`module:Class` of today, by the one of 0.1.0."""

_FIRST_NAMES = {
    **{current: first for first, current in CURRENT_NAMES.items()},
    "tfopt.backend.bridge.layer_wrapper:Keras3LayerWrapper": "tfopt.backend.bridge.host:KerasHost",
}


def current_name(name: str) -> str:
    """`module:Class` of today for one that an older version wrote; any other name as it is."""
    return CURRENT_NAMES.get(name, name)


def with_first_names(config: object) -> object:
    """A copy of a serialized Keras configuration in which every class of tfopt has the name that 0.1.0 gave it."""
    if isinstance(config, list | tuple):
        return [with_first_names(part) for part in config]
    if not isinstance(config, dict):
        return config
    copy = {key: with_first_names(part) for key, part in config.items()}
    first = _FIRST_NAMES.get(f"{config.get('module')}:{config.get('class_name')}")
    if first is not None:
        current_class = config["class_name"]
        copy["module"], _, copy["class_name"] = first.partition(":")
        if isinstance(config.get("registered_name"), str):
            copy["registered_name"] = config["registered_name"].replace(current_class, copy["class_name"])
    return copy
