"""What an opened layer of a user's own class is in tf_keras: a nested model under its name, and its own weights."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import keras
import tensorflow as tf
import tf_keras

from tfopt.backend.bridge.custom_code import custom_parts
from tfopt.backend.bridge.layer_wrapper import Keras3LayerWrapper, KerasHost, made_again
from tfopt.backend.bridge.reading.arguments import fill
from tfopt.backend.compat.keras_graph import Functional, functional_config, functional_parts, keep_unconnected
from tfopt.backend.types import Config, LayerArguments, Nested

if TYPE_CHECKING:
    from typing import Unpack

_register = tf_keras.saving.register_keras_serializable(package="tfopt")

_WRAPPERS = {wrapper.__name__: wrapper for wrapper in (Keras3LayerWrapper, KerasHost)}


@_register
class OwnLayer(Functional):
    """A layer of a user's own class as the layers and operations that its call consists of.

    Args:
        inputs: symbolic tensors, as for `tf_keras.Model`.
        outputs: symbolic tensors.
        hosted: Keras 3 configuration of the user's layer, as JSON.
        pattern: how it is called, as JSON (see `arguments`).
        name: name of the user's layer, behind those of the opened layers around it.
        roles: where the layer inside is not one of the user's, but computes the same: the attribute of the user's layer
            for each of its weights; empty where the attributes are the same, for the user's class inherits from its
            class. None for a layer that was opened.
    """

    def __init__(
        self,
        inputs: Nested,
        outputs: Nested,
        hosted: str,
        pattern: str,
        name: str | None = None,
        roles: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(inputs, outputs, name=name)
        self.hosted, self.pattern = hosted, pattern
        self.roles = None if roles is None else dict(roles)

    @property
    def own_type(self) -> str:
        """Name of the user's class."""
        return str(json.loads(self.hosted)["class_name"])

    def called_in_keras_3(self, tensors: Sequence[keras.KerasTensor]) -> Nested:
        """Outputs of a new layer of the user's class, called on these tensors; its weights are new, too.

        Raises:
            StageError: the user's class is out of reach.
        """
        args, kwargs = fill(json.loads(self.pattern), tensors)
        return made_again(json.loads(self.hosted), self.name)(*args, **kwargs)

    def wrapped_classes(self) -> list[object]:
        """The classes and functions from outside Keras that the user's layer is made of."""
        return [code for _, _, code in custom_parts(json.loads(self.hosted)) if code is not None]

    def get_config(self) -> dict[str, object]:
        return {**functional_config(self), "hosted": self.hosted, "pattern": self.pattern, "roles": self.roles}

    @classmethod
    def from_config(cls, config: Config, custom_objects: Config | None = None) -> OwnLayer:
        inputs, outputs, layers = functional_parts(dict(config), {**_WRAPPERS, **(custom_objects or {})})
        model = cls(inputs, outputs, config["hosted"], config["pattern"], config.get("name"), config["roles"])
        keep_unconnected(model, layers)
        model._trainable = config.get("trainable", True)
        return model


@_register
class OwnWeights(tf_keras.layers.Layer):
    """The weights that a layer of a user's own class has itself, as tensors.

    Called with any tensor, which it does not look at: a layer without an input has no part in a functional model.

    Args:
        shapes: of the weights, by attribute of the user's layer.
    """

    def __init__(self, shapes: Mapping[str, Sequence[int]], **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.shapes = {name: [int(size) for size in shape] for name, shape in shapes.items()}
        self.by_attribute: dict[str, tf.Variable] = {}

    def build(self, input_shape: Nested) -> None:
        for name, shape in self.shapes.items():
            self.by_attribute[name] = self.add_weight(name=name, shape=shape, initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: Nested) -> list[tf.Tensor]:
        return [tf.identity(self.by_attribute[name]) for name in self.shapes]

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "shapes": self.shapes}
