"""Checks that the tests of all rewrites share: there and back, and through the converter."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from tests.support.converting import converter_of
from tests.support.files import File
from tfopt.backend.equivalence import Tolerance, outputs, random_inputs, same_outputs
from tfopt.backend.quantization.annotation import original_layer_treatments
from tfopt.backend.quantization.calibration import calibrate
from tfopt.backend.quantization.canonical import Canonical, canonicalize, initial_weights
from tfopt.backend.quantization.weight_constraints import WeightConstraints
from tfopt.backend.quantization.wrapping import wrap
from tfopt.core.config.quantization import Quantization

QUANTIZATION = Quantization()


def randomized(model: tf_keras.Model, seed: int = 1) -> tf_keras.Model:
    """The model with weights, biases and statistics with which a wrong rewrite cannot pass."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.dtype.is_floating:
            low, high = (0.5, 1.5) if "variance" in weight.name or "gamma" in weight.name else (-0.5, 0.5)
            weight.assign(rng.uniform(low, high, weight.shape))
    return model


def there_and_back(model: tf_keras.Model) -> Canonical:
    """The canonical form, after checks that its outputs are the same and that trained weights are restored.

    The weights of the canonical model are changed as training does; the restored model must have the same outputs.
    """
    randomized(model)
    canonical = canonicalize(model)
    inputs = random_inputs(model, seed=3, bounded=True)
    assert not same_outputs(outputs(model, inputs), outputs(canonical.model, inputs), Tolerance(1e-5, least_scale=1.0))
    back = canonical.restored(initial_weights(canonical))
    for one, other in zip(model.weights, back.weights, strict=True):
        np.testing.assert_allclose(other.numpy(), one.numpy(), rtol=1e-4, atol=1e-5, err_msg=one.name)
    rng = np.random.default_rng(2)
    for weight in canonical.model.trainable_weights:
        weight.assign(weight + rng.uniform(-0.1, 0.1, weight.shape))
    trained = canonical.restored(initial_weights(canonical))
    found = outputs(trained, inputs)
    assert not same_outputs(outputs(canonical.model, inputs), found, Tolerance(1e-4, least_scale=1.0))
    return canonical


def quantized_file(canonical: Canonical, data: bool = False) -> File:
    """The int8 file of a model that is calibrated and not trained.

    Args:
        canonical: form of the model, which costs seconds to make: one that is there already will do.
        data: give the converter calibration data, as the export does; without, every integer operator in the file has
            the range that training would give it.
    """
    model = canonical.original
    wrapped = wrap(canonical, QUANTIZATION, WeightConstraints())
    calibrate(wrapped, [random_inputs(model, seed, bounded=True) for seed in range(4)])
    converter = converter_of(wrapped, model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if data:
        examples = [random_inputs(model, seed, bounded=True) for seed in range(4)]
        # By name: the converter orders the inputs of a model by themselves.
        types = {
            name: tensor.dtype.as_numpy_dtype for name, tensor in zip(model.input_names, model.inputs, strict=True)
        }
        converter.representative_dataset = lambda: (
            {name: values[:1].astype(dtype) for (name, dtype), values in zip(types.items(), inputs, strict=True)}
            for inputs in examples
        )
    converter.inference_input_type = converter.inference_output_type = tf.int8
    with warnings.catch_warnings():
        # The converter calibrates inputs that are given by name with an interpreter of its own.
        warnings.filterwarnings("ignore", ".*tf.lite.Interpreter is deprecated")
        return File(converter.convert())


def treatments(canonical: Canonical) -> Mapping[str, str]:
    """How each layer of the original is treated, as in the plan."""
    return original_layer_treatments(canonical, QUANTIZATION)
