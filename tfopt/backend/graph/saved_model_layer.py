"""A layer that runs one signature of a SavedModel: how a model without Keras layers is converted and measured."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import tensorflow as tf
import tf_keras

from tfopt.backend.types import LayerArguments

if TYPE_CHECKING:
    from typing import Unpack


class SavedModelLayer(tf_keras.layers.Layer):
    """Runs a signature as it was saved; nothing in it is trained.

    Args:
        path: folder of the SavedModel.
        signature: key of the signature; its inputs have an axis of examples first.
        tags: of the graph with it.
        digest: SHA-256 of `saved_model.pb`, so that a model is not rebuilt from a folder that has changed.
    """

    def __init__(
        self, path: str, signature: str, tags: Sequence[str], digest: str = "", **kwargs: Unpack[LayerArguments]
    ) -> None:
        arguments: LayerArguments = {**kwargs, "trainable": False}
        super().__init__(autocast=False, **arguments)
        found = hashlib.sha256(Path(path, "saved_model.pb").read_bytes()).hexdigest()
        if digest not in ("", found):
            raise ValueError(f"{path} is not the SavedModel that it was when the model was built.")
        self.path, self.signature, self.tags, self.digest = path, signature, list(tags), found
        # The loaded object owns the variables and tables of its functions: it must live as long as they are called.
        self.loaded = tf.saved_model.load(path, tags=list(tags))
        self.function = self.loaded.signatures[signature]
        self.variables_of_graph = list(self.function.variables)

    @property
    def specs(self) -> dict[str, tf.TensorSpec]:
        """Shapes and types of the inputs, by name."""
        inputs: dict[str, tf.TensorSpec] = self.function.structured_input_signature[1]
        return dict(sorted(inputs.items()))

    @property
    def one_by_one(self) -> bool:
        """Whether the signature takes exactly one example per call."""
        return any(spec.shape[0] == 1 for spec in self.specs.values())

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs, in the order of the results."""
        return sorted(self.function.structured_outputs)

    def call(self, inputs: object) -> list[tf.Tensor]:
        tensors = dict(zip(self.specs, tf.nest.flatten(inputs), strict=True))
        if self.one_by_one and any(tensor.shape[0] != 1 for tensor in tensors.values()):
            types = [output.dtype for _, output in sorted(self.function.structured_outputs.items())]
            return list(tf.map_fn(self._one, tensors, fn_output_signature=types))
        return self._run(tensors)

    def _one(self, row: Mapping[str, tf.Tensor]) -> list[tf.Tensor]:
        """Outputs for one example without its axis."""
        return [output[0] for output in self._run({name: tensor[tf.newaxis] for name, tensor in row.items()})]

    def _run(self, tensors: Mapping[str, tf.Tensor]) -> list[tf.Tensor]:
        outputs = self.function(**tensors)
        return [outputs[name] for name in self.output_names]

    def get_config(self) -> dict[str, object]:
        own = {"path": self.path, "signature": self.signature, "tags": [*self.tags], "digest": self.digest}
        return {**super().get_config(), **own}


def reason_without_layers(model: tf_keras.Model) -> str | None:
    """Why nothing can be done with the layers of a model, or None for a model that has its own layers."""
    for layer in model.layers:
        if isinstance(layer, SavedModelLayer):
            return (
                f"{layer.path} holds bare TensorFlow operations: there are no Keras layers to train, prune, cluster or "
                "quantize in training. It can be converted as it is: export it to saved_model and to tflite (none, "
                "float16, dynamic, int8) with `stages: []`. For more, save the model as .keras where it was built"
            )
    return None
