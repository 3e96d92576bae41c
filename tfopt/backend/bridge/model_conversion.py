"""The tf_keras counterpart of a Keras 3 model, with the proof that it is one."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tf_keras

from tfopt.backend.bridge.conversion import Conversion
from tfopt.backend.bridge.equivalence import describe_difference
from tfopt.backend.bridge.mask_checks import same_masks
from tfopt.backend.bridge.reading.functionalize import functional, of_sizes
from tfopt.backend.bridge.refusals import refuse_what_cannot_run
from tfopt.backend.bridge.weight_mapping import variable_pairs
from tfopt.backend.graph.layers import all_layers
from tfopt.errors import StageError


def to_tf_keras(
    model: keras.Model | tf_keras.Model, sizes: Sequence[Sequence[int | None]] | None = None
) -> tf_keras.Model:
    """The tf_keras model with the same layers, weights and outputs as a Keras 3 model; not compiled.

    See `tfopt.bridge.to_tf_keras`.

    Args:
        model: of either library.
        sizes: of one example of each input, for a functional model that leaves some open; None leaves them open.

    Raises:
        StageError: a layer cannot be converted, or the outputs of the two models differ; names the layer.
    """
    if isinstance(model, tf_keras.Model):
        return model
    if not isinstance(model, keras.Model):
        raise StageError(
            f"A {type(model).__name__} is not a model that can be converted.",
            "Expected a keras.Model of Keras 3.",
            code="invalid_model",
        )
    source = functional(model) if sizes is None else of_sizes(model, sizes)
    refuse_what_cannot_run(source)
    conversion, converted = _converted(source, exact_masks=False)
    difference = describe_difference(source, converted, conversion.steps)
    exact_masks = conversion.lost_masks and (difference or not same_masks(source.outputs, converted.outputs))
    if exact_masks:
        # Somebody looks at a mask that a layer passes on in one library only.
        conversion, converted = _converted(source, exact_masks=True)
        difference = describe_difference(source, converted, conversion.steps)
    if difference and conversion.num_opened:
        conversion, converted = _converted(source, exact_masks=bool(exact_masks), opens=False)
        difference = describe_difference(source, converted, conversion.steps)
    if difference:
        raise StageError(
            f"The tf_keras counterpart of {source.name!r} computes something else: {difference}.",
            "This is a mistake in tfopt's bridge: please report the layer with its configuration.",
            code="not_equivalent",
        )
    return converted


def _converted(source: keras.Model, exact_masks: bool, opens: bool = True) -> tuple[Conversion, tf_keras.Model]:
    """The counterpart of a model with its weights."""
    conversion = Conversion(exact_masks, opens)
    converted = conversion.model(source)
    for variable, value in variable_pairs(source, converted):
        value.assign(variable.value)
    for layer in all_layers(converted):
        # What a Normalization computes with is derived from its weights.
        if isinstance(layer, tf_keras.layers.Normalization) and layer.input_mean is None:
            layer.finalize_state()
    return conversion, converted
