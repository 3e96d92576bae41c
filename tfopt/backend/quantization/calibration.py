"""Setting the ranges of all roundings from data, before the first step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import tf_keras

from tfopt.backend.compat.tfmot_quantization import QuantizeLayer
from tfopt.backend.quantization.lstm.simulated import simulated_lstms
from tfopt.backend.quantization.producer_ranges import same_range_quantizers
from tfopt.backend.quantization.quantizers import Observing, Ranges
from tfopt.backend.quantization.wrapping import wrappers
from tfopt.backend.types import Nested

_UNSEEN = 1.0
"""Upper end of the range of a layer whose output was zero for all examples: a range must not be empty."""


def calibrate(model: tf_keras.Model, batches: Iterable[Nested]) -> None:
    """Sets weight ranges from the weights, and activation ranges to the exact minimum and maximum over the examples.

    The model runs as in inference: dropout is off and batch normalization uses its own statistics, which do not
    change. With this, a model converted without a single training step keeps its accuracy (0.932, the float model has
    0.927); without, tfmot's initial ranges of -6..6 lead to 0.098.

    Args:
        model: a wrapped model; its ranges are changed.
        batches: inputs of the model.
    """
    for wrapper in wrappers(model):
        for weight, quantizer, ranges in wrapper._weight_vars:
            quantizer(weight, True, ranges)
    with _observed(model) as all_ranges:
        for inputs in batches:
            model(inputs, training=False)
    for ranges in all_ranges:
        if ranges["min_var"].numpy() == ranges["max_var"].numpy():
            ranges["max_var"].assign(_UNSEEN)


@contextmanager
def _observed(model: tf_keras.Model) -> Iterator[list[Ranges]]:
    pairs = list(activation_quantizers(model))
    for quantizer, ranges in pairs:
        # Zero is in every range: TFLite must be able to represent it exactly.
        ranges["min_var"].assign(0.0)
        ranges["max_var"].assign(0.0)
        quantizer.observing = True
    for _, of_input in same_range_quantizers(model):
        of_input.observing = True
    try:
        yield [ranges for _, ranges in pairs]
    finally:
        for quantizer, _ in pairs:
            quantizer.observing = False
        for _, of_input in same_range_quantizers(model):
            of_input.observing = False


def activation_quantizers(model: tf_keras.Model) -> Iterator[tuple[Observing, Ranges]]:
    """What rounds the values between layers, with its range.

    Args:
        model: a wrapped model.
    """
    for layer in model.layers:
        if isinstance(layer, QuantizeLayer) and layer.quantizer is not None:
            yield layer.quantizer, layer.quantizer_vars
    for lstm in simulated_lstms(model):
        yield lstm.quantizer, lstm.ranges
        yield lstm.cell_quantizer, lstm.cell_ranges
    for wrapper in wrappers(model):
        for quantizer in wrapper._output_quantizers:
            if isinstance(quantizer, Observing):
                yield quantizer, wrapper._output_quantizer_vars
        for activation in wrapper._quantize_activations:
            if activation._should_pre_quantize():
                yield activation.quantizer, activation._pre_activation_vars
            if activation._should_post_quantize():
                yield activation.quantizer, activation._post_activation_vars
