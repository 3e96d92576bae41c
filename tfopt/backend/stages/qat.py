"""The qat stage: wrap, keep frozen, calibrate, train, strip."""

from __future__ import annotations

from dataclasses import replace

import tf_keras

from tfopt.backend.compat.tfmot_quantization import QuantizeWrapperV2
from tfopt.backend.data.batches import evaluation_batches
from tfopt.backend.data.load import calibration_examples
from tfopt.backend.graph.kernels import prunable_kernels
from tfopt.backend.graph.layers import leaf_layers
from tfopt.backend.graph.sparsity import share_of_zeros
from tfopt.backend.quantization.annotation import original_layer_treatments
from tfopt.backend.quantization.calibration import calibrate
from tfopt.backend.quantization.canonical import Canonical, canonicalize
from tfopt.backend.quantization.float_fallback import original_float_layers
from tfopt.backend.quantization.quantized import Quantized
from tfopt.backend.quantization.weight_constraints import WeightConstraints
from tfopt.backend.quantization.wrapping import strip, wrap
from tfopt.backend.stages import fit as training
from tfopt.backend.training.hooks import SparsityHook
from tfopt.core.config.quantization import Quantization
from tfopt.core.contracts.result import StageResult
from tfopt.core.contracts.stage import StageContext, TrainingStage


def quantize_aware_train(
    model: tf_keras.Model, stage: TrainingStage, quantization: Quantization, context: StageContext
) -> StageResult:
    """Trains a model while its weights and activations are rounded to 8 bits (Jacob et al. 2018, arXiv:1712.05877).

    It computes in float32, whatever the recipe's `precision`. Layers that cannot be simulated stay as they are and are
    reported as skipped; the converter quantizes them from calibration data. Zeros and clusters of the
    incoming model are kept, as its traits say. An interrupted stage resumes from its checkpoint: the wrappers are
    rebuilt from `model`, and `training.fit` loads their variables.

    Args:
        model: a built float model; it is not changed.
        stage: epochs, learning rate, early stopping.
        quantization: calibration examples and layer rules.
        context: data, traits of `model`, and where progress goes.

    Raises:
        StageError: the model cannot be cloned, none of its layers can be simulated, or training failed.
    """
    constraints = WeightConstraints.of(context.traits)
    canonical = canonicalize(model)
    wrapped = wrap(canonical, quantization, constraints)
    skipped, floats = _not_simulated(canonical, quantization), original_float_layers(canonical)
    examples = calibration_examples(context.data, quantization.calibration, context.seed)
    calibrate(wrapped, (inputs for inputs, _ in evaluation_batches(examples, context.examples_at_once)))
    hooks = [SparsityHook(lambda: _sparsity(wrapped))] if "sparse" in context.traits else []
    # Products in 16 bits are rounded once more, which those of the file are not: ranges would be other ones.
    trained = training.fit(wrapped, stage, replace(context, precision=None), hooks=hooks)
    # The stage itself is passed as `quantization`; the model keeps only the keys that a reload needs.
    keys = Quantization(calibration=quantization.calibration, layers=quantization.layers)
    float_model, names = strip(wrapped, canonical), canonical.original_names
    quantized = Quantized(wrapped, float_model, keys, constraints, names, floats)
    return StageResult(quantized, skipped, details={"float_layers": floats, **trained})


def _sparsity(wrapped: tf_keras.Model) -> float:
    """Share of zeros over the kernels before they are rounded."""
    kernels = [
        [weight for weight, _, _ in layer._weight_vars]
        if isinstance(layer, QuantizeWrapperV2)
        else prunable_kernels(layer)
        for layer in leaf_layers(wrapped)
    ]
    return share_of_zeros([kernel.numpy() for of_layer in kernels for kernel in of_layer])


def _not_simulated(canonical: Canonical, quantization: Quantization) -> dict[str, str]:
    treated = original_layer_treatments(canonical, quantization)
    return {name: how for name, how in treated.items() if how.startswith(("after training", "float"))}
