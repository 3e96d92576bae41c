"""The loss that fits a model and its targets, where the default of a recipe cannot.

`sparse_categorical_crossentropy` compares a label with one output per class. One output for labels 0 and 1, one-hot
targets, and several labels per example need another loss, which follows from targets and last layer.
"""

from __future__ import annotations

import numpy as np
import tf_keras

from tfopt.backend.data.arrays.reading import parts
from tfopt.backend.data.labels import is_one_hot
from tfopt.backend.data.splits import Data
from tfopt.backend.models.last_activation import last_activation
from tfopt.backend.types import ExampleArray
from tfopt.core.config.training.compile import Compile, Loss

_DEFAULT = "sparse_categorical_crossentropy"
_ACTIVATIONS = ("linear", "sigmoid", "softmax", "tanh")


def fitting_compile(model: tf_keras.Model, data: Data, compile: Compile) -> tuple[Compile, str | None]:
    """The compile block with a loss that fits, and why it was changed.

    Args:
        model: with one output.
        data: its targets.
        compile: the recipe's; left as it is unless its loss is the default, which cannot work here.

    Returns:
        The block, and a sentence for the plan; None where nothing was changed.
    """
    targets = data.train.targets
    if compile.all_outputs or isinstance(targets, dict) or len(model.outputs) != 1:
        return compile, None
    if compile.single_loss.name != _DEFAULT or compile.single_loss.arguments():
        return compile, None
    output, layer, activation = tuple(model.outputs[0].shape[1:]), model.output_names[0], last_activation(model)
    shape = (1,) if targets.ndim == 1 else targets.shape[1:]
    if activation not in _ACTIVATIONS or tuple(shape) != output or not are_zero_or_one(targets):
        return compile, None
    if activation == "tanh":
        loss, what = ("hinge", "yes or no") if output == (1,) else (None, "")
    elif output[-1] > 1 and activation != "sigmoid" and is_one_hot(targets):
        loss, what = "categorical_crossentropy", "one-hot"
    elif activation != "softmax":
        loss, what = "binary_crossentropy", "0 or 1"
    else:
        loss, what = None, ""
    if loss is None:
        return compile, None
    arguments = {"from_logits": True} if activation == "linear" and loss != "hinge" else {}
    chosen = Loss.model_validate({"name": loss, **arguments})
    said = f"{{name: {loss}, from_logits: true}}" if arguments else loss
    reason = (
        f"compile.loss is {said}: the layer {layer!r} ends with {_outputs(output)} ({activation}) and the targets are "
        f"{what}, for which {_DEFAULT}, the default, cannot be used. Write compile.loss for a different one."
    )
    return compile.model_copy(update={"loss": chosen}), reason


def are_zero_or_one(targets: ExampleArray) -> bool:
    """Whether no target is anything else, as labels of two classes, one-hot targets and several labels are."""
    return all(np.isin(part, (0, 1)).all() for part in parts(targets))


def _outputs(output: tuple[int | None, ...]) -> str:
    return "one output" if output == (1,) else f"outputs of shape {output}"
