"""Which layer makes a conversion fail: found by converting ever smaller beginnings of the model.

The converter names no layer where it crashes, and none where it refuses a model without a text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import tensorflow as tf
import tf_keras

from tfopt.backend.compat.keras_graph import Node
from tfopt.backend.export.convert import Conversion, fails
from tfopt.backend.export.forms import Form
from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.graph.layers import nodes
from tfopt.core.claims.failures import Failure, attempt

_MOST_CONVERSIONS = 8
"""Each takes a process of its own; 8 find one layer of 256."""

_PREFIX = "quant_"


def failing_layer(conversion: Conversion, form: Form, signature: saved_model.Signature) -> str | None:
    """The first layer with which a model cannot be converted, as a sentence.

    Args:
        conversion: it fails.
        form: what is converted; with tfmot's wrappers, where it simulates 8 bits.
        signature: names of its inputs.

    Returns:
        None where the connections of the layers are not known, or no beginning of the model converts.
    """
    calls = [node for node in nodes(form.model) if not node.is_input]
    good, bad = 0, len(calls)  # beginnings by their number of calls: the empty one converts, the whole does not
    for number in range(_MOST_CONVERSIONS):
        if bad - good <= 1:
            break
        middle = (good + bad) // 2
        part = attempt(_fails, middle, number, conversion, form, calls, signature)
        if isinstance(part, Failure):
            return None
        good, bad = (good, middle) if part else (middle, bad)
    if not calls or (bad - good > 1 and good == 0):
        return None
    named = list(dict.fromkeys(_named(node.layer, form.original_names) for node in calls[good:bad]))
    if len(named) == 1:
        return f"It fails from layer {named[0]} on; what comes before it converts."
    return f"It fails between layer {named[0]} and layer {named[-1]}."


def _fails(
    count: int,
    number: int,
    conversion: Conversion,
    form: Form,
    calls: list[Node],
    signature: saved_model.Signature,
) -> bool:
    beginning = _beginning(form.model, calls[:count])
    outputs = tuple(f"output_{index}" for index in range(len(beginning.outputs)))
    folder = conversion.target.with_suffix(f".part_{number}")
    replace(form, model=beginning).write(saved_model.Signature(signature.inputs, outputs), folder)
    return fails(replace(conversion, saved_model=folder, target=folder / "part.tflite"))


def _beginning(model: tf_keras.Model, calls: list[Node]) -> tf_keras.Model:
    """The model up to some calls; its outputs are all results that no call of it takes."""
    made = {id(tensor): tensor for node in calls for tensor in tf.nest.flatten(node.outputs)}
    taken = {id(tensor) for node in calls for tensor in node.keras_inputs}
    return tf_keras.Model(model.inputs, [tensor for key, tensor in made.items() if key not in taken])


def _named(layer: tf_keras.layers.Layer, original_names: Mapping[str, str]) -> str:
    inner = getattr(layer, "layer", layer)
    own = layer.name.removeprefix(_PREFIX)
    kind = type(getattr(inner, "wrapped", inner)).__name__
    return f"{original_names.get(own, own)!r} ({kind})"
