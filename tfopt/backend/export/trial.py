"""Trial conversions: which operators a model becomes, asked of the converter itself before anything is trained.

What the converter fuses, folds and splits depends on the neighbours of a layer, the shapes and the mode; no table of
layers foretells it (PAD goes into a convolution or stays, a free length leaves shape arithmetic, a mask turns a fused
LSTM into a loop). A trial takes the route of the export, with few examples, in a child process: it shows the crashes
and refusals of the converter too.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tf_keras

from tfopt.backend.audit.layer_operators import layer_operators
from tfopt.backend.audit.tflite import audit_tflite
from tfopt.backend.data.arrays.reading import in_memory
from tfopt.backend.equivalence import random_inputs
from tfopt.backend.export.convert import CRASHED, REFUSED, Conversion, convert
from tfopt.backend.export.failing_layer import failing_layer
from tfopt.backend.export.forms import Form, forms, request_for
from tfopt.backend.export.integers.float_rules import float_request
from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.graph.layers import fused_lstms, layer_paths, leaf_layers
from tfopt.backend.graph.saved_model_layer import SavedModelLayer
from tfopt.backend.quantization.calibration import activation_quantizers, calibrate
from tfopt.backend.quantization.canonical import canonicalize
from tfopt.backend.quantization.quantized import skipping
from tfopt.backend.quantization.quantizers import ActivationQuantizer
from tfopt.backend.quantization.weight_constraints import WeightConstraints
from tfopt.backend.quantization.wrapping import wrap
from tfopt.backend.quantizer.float_parts import float_parts
from tfopt.backend.quantizer.rules import layer_modes
from tfopt.backend.types import Array, Arrays
from tfopt.core.claims.failures import Failure, attempt
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.quantization import Quantization
from tfopt.core.contracts.trial import TrialConversion

EXAMPLES = 2
"""How many examples ranges are computed from: what is in the file depends little on the ranges."""
_APART = 1e-3
"""By which share of its end one range is moved more than the one before it."""
_NOTHING = (
    *(tf_keras.layers.InputLayer, tf_keras.layers.Identity, tf_keras.layers.ActivityRegularization),
    *(tf_keras.layers.Dropout, tf_keras.layers.GaussianDropout, tf_keras.layers.GaussianNoise),
    *(tf_keras.layers.AlphaDropout, tf_keras.layers.SpatialDropout1D),
    *(tf_keras.layers.SpatialDropout2D, tf_keras.layers.SpatialDropout3D),
)
"""Layers that compute nothing after training."""
LOOKED_AT: Mapping[str, Variant] = {
    "float32": Variant(),
    "dynamic": Variant(quantize="dynamic"),
    "int8": Variant(quantize="int8"),
}
"""Files that show what a model becomes where no recipe names any."""


def trial_conversions(
    model: tf_keras.Model,
    variants: Mapping[str, Variant],
    quantization: Quantization | None = None,
    examples: Arrays | None = None,
    *,
    trained: bool = False,
) -> tuple[TrialConversion, ...]:
    """Converts a model in each of some ways and says what came out.

    Args:
        model: a float model.
        variants: what to convert to, by name.
        quantization: of the qat stage that will have trained it, or None.
        examples: inputs to calibrate with, as the model takes them; random ones if None.
        trained: whether it will be trained before the files are made. Weights that still have their initial zeros or
            ones then count as other ones: the converter leaves out what adds 0 or multiplies by 1.

    Returns:
        One per variant, in order; where there is no file, why.
    """
    # What fails here may work after training, or fail there with its own error: it must not end a plan.
    made = attempt(_trial, model, variants, quantization, examples, trained)
    if not isinstance(made, Failure):
        return made
    return tuple(TrialConversion(name, variant.quantize, refused=made.reason) for name, variant in variants.items())


def _trial(
    model: tf_keras.Model,
    variants: Mapping[str, Variant],
    quantization: Quantization | None,
    examples: Arrays | None,
    trained: bool,
) -> tuple[TrialConversion, ...]:
    signature = saved_model.signature_of(model)
    with tempfile.TemporaryDirectory(prefix="tfopt-trial-") as folder, as_if_trained(model, trained):
        work = Path(folder)
        given = saved_model.named_inputs(_small_inputs(model) if examples is None else examples, model, signature)
        inputs = {name: in_memory(values) for name, values in given.items()}
        calibration = {name: work / f"{name}.npy" for name in inputs}
        for name, values in inputs.items():
            np.save(calibration[name], values[:EXAMPLES])
        requests = {name: float_request(variant, model) for name, variant in variants.items()}
        simulated = {}
        if quantization is not None:
            whole = _simulated(model, quantization, [*inputs.values()])
            for name, request in requests.items():
                skipped = skipping(quantization, request.layers)
                simulated[name] = _simulated(model, skipped, [*inputs.values()]) if request.layers else whole
        aliases = {} if quantization is None else canonicalize(model).original_names
        example = dict(zip(model.input_names, (values.shape[1:] for values in inputs.values()), strict=True))
        form_of = forms(variants, model, example, simulated, aliases)
        for form in {form.name: form for form in form_of.values()}.values():
            form.write(signature, work / form.name)
        files = [
            Conversion(
                name,
                variant,
                work / form_of[name].name,
                work / f"{name}.tflite",
                calibration,
                request_for(form_of[name], requests[name]),
                layer_modes(variant, model, form_of[name].original_names),
            )
            for name, variant in variants.items()
        ]
        failures = convert(files, lambda name: None)
        where = _first_failing_layer(files, failures, form_of, signature)
        return tuple(_found(file, model, form_of[file.name], failures.get(file.name), where) for file in files)


def _first_failing_layer(
    files: Sequence[Conversion],
    failures: Mapping[str, Failure],
    form_of: Mapping[str, Form],
    signature: saved_model.Signature,
) -> dict[Failure, str]:
    """The layer of each kind of failure, as a sentence; of the first file with it, as the search takes a while."""
    found: dict[Failure, str] = {}
    for file in files:
        failure = failures.get(file.name)
        if failure is not None and failure not in found and failure.code in (REFUSED, CRASHED):
            found[failure] = failing_layer(file, form_of[file.name], signature) or ""
    return found


def _found(
    file: Conversion,
    model: tf_keras.Model,
    form: Form,
    failure: Failure | None,
    where: Mapping[Failure, str],
) -> TrialConversion:
    mode = file.variant.quantize
    if failure is not None:
        sentence = where.get(failure, "")
        return TrialConversion(file.name, mode, refused=f"{failure.reason}. {sentence}" if sentence else failure.reason)
    bare = next((layer.name for layer in leaf_layers(model) if isinstance(layer, SavedModelLayer)), None)
    names = (bare,) if bare else tuple(dict.fromkeys(layer.name for _, layer in layer_paths(model)))
    own, lstms = form.original_names or None, fused_lstms(model)
    audit = audit_tflite(file.target, names, own, lstms)
    return TrialConversion(
        file.name,
        mode,
        audit.operators,
        audit.float_operators,
        tuple(audit.float_layers),
        layer_operators(file.target, names, own, _ends(model), bare or "", lstms),
        float_reasons=_float_reasons(file, names, own or {}),
        batch=file.variant.fixed_batch,
    )


def _float_reasons(file: Conversion, names: Sequence[str], aliases: Mapping[str, str]) -> dict[str, str]:
    """Why layers are float in an integer file that the converter did not make; what it makes is known of the layers."""
    if not file.variant.mode.integer_only or file.variant.engine != "quantizer":
        return {}
    return float_parts(file.target, file.variant.mode, names, aliases)


def _ends(model: tf_keras.Model) -> dict[str, str]:
    """By name of an output in the signature, the layer that makes it, where it computes anything."""
    signature = saved_model.signature_of(model)
    ends = {}
    for output, name in zip(signature.outputs, model.output_names, strict=True):
        layer = model.get_layer(name)
        while isinstance(layer, tf_keras.Model):
            layer = layer.get_layer(layer.output_names[0])
        if not isinstance(layer, _NOTHING):
            ends[output] = layer.name
    return ends


def _simulated(model: tf_keras.Model, quantization: Quantization, inputs: Sequence[Array]) -> tf_keras.Model:
    """The model that a qat stage would train, with ranges of a few examples.

    They are moved apart: at first, that of a Concatenate is the one of its widest input; after training, when each is a
    moving average of its own, it is not, and the file has a QUANTIZE for that input too (measured on four networks).
    """
    wrapped = wrap(canonicalize(model), quantization, WeightConstraints())
    calibrate(wrapped, iter([inputs[0][:EXAMPLES] if len(inputs) == 1 else [values[:EXAMPLES] for values in inputs]]))
    for number, (quantizer, ranges) in enumerate(activation_quantizers(wrapped), start=1):
        if isinstance(quantizer, ActivationQuantizer):
            ranges["max_var"].assign(ranges["max_var"] * (1 + _APART * number))
    return wrapped


def _small_inputs(model: tf_keras.Model) -> dict[str, Array]:
    """Random examples by input name; floats lie between 0 and 1, where logarithms and roots are defined too."""
    arrays = random_inputs(model, bounded=True)
    return {name: np.abs(values) for name, values in zip(model.input_names, arrays, strict=True)}


@contextmanager
def as_if_trained(model: tf_keras.Model, trained: bool) -> Iterator[None]:
    """Moves weights that training changes and that are all 0 or all 1, for as long as the context lasts."""
    if not trained:
        yield
        return
    random = np.random.default_rng(0)
    statistics = [
        weight
        for layer in leaf_layers(model, weighted=True)
        if isinstance(layer, tf_keras.layers.BatchNormalization)
        for weight in layer.weights
    ]
    changed = {id(weight): weight for weight in (*model.trainable_weights, *statistics)}
    initial = {key: weight.numpy() for key, weight in changed.items()}
    untouched = {key: values for key, values in initial.items() if np.all(values == 0) or np.all(values == 1)}
    try:
        for key, values in untouched.items():
            changed[key].assign(values + random.uniform(0.01, 0.1, values.shape).astype(values.dtype))
        yield
    finally:
        for key, values in untouched.items():
            changed[key].assign(values)
