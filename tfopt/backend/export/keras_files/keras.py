"""SavedModel and `.keras` exports, read back and compared with the model they came from."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend import bridge
from tfopt.backend.audit import keras as keras_audit
from tfopt.backend.audit.sizes import num_bytes, num_gzip_bytes, num_zstd_bytes
from tfopt.backend.bridge.reading.float32 import is_float32
from tfopt.backend.data.raw_inputs import RawInputs
from tfopt.backend.explain import agreement
from tfopt.backend.export.files import put_in_place, writing
from tfopt.backend.export.keras_files import keras_archive, read_back, saved_model
from tfopt.backend.export.keras_files.open_inputs import open_inputs
from tfopt.backend.export.keras_files.preprocessing import PREPARED, proof, raw_serving
from tfopt.backend.export.measures import file_measures
from tfopt.backend.export.texts.raw_texts import RawTexts
from tfopt.backend.graph.sparsity import share_of_zeros
from tfopt.backend.models import store as model_store
from tfopt.backend.quantization.quantized import Quantized, ranges_note
from tfopt.backend.types import Array, ExampleArray
from tfopt.catalog.guard import guarded
from tfopt.core.claims.accepted import needless, with_accepted
from tfopt.core.claims.agreement import agreement_claim
from tfopt.core.claims.failures import Failure, attempt, failed_export, unmeasured
from tfopt.core.claims.tflite import pooled_sparsity
from tfopt.core.config.files.accepted_claims import AcceptedClaim
from tfopt.core.contracts.events import ExportFinished, ExportStarted, Warned
from tfopt.core.contracts.export import ExportContext
from tfopt.core.records.report import ClaimRecord, ExportRecord
from tfopt.errors import ExportError

_LEAST_AGREEMENT = 0.999
_LEAST_AGREEMENT_OF_HALVES = 0.97
"""Of a file in mixed precision, as the recipe's model was, with the float32 model that was optimized."""
_BATCH = 256
_SAME_SPARSITY = 1e-6
_OPENS_IN_TF_KERAS = "opens with tf_keras.models.load_model"
_OPENS_IN_KERAS_3 = "opens with plain keras.models.load_model, in a process without tf_keras and tfopt"

Outputs = Mapping[str, Array]


def export_saved_model(
    model: tf_keras.Model | Quantized,
    context: ExportContext,
    accept: Sequence[AcceptedClaim] = (),
    batch: int | None = None,
    fixed: bool = False,
    raw: RawInputs | RawTexts | None = None,
) -> ExportRecord:
    """Writes `saved_model/` with the signature `serving_default`, and serves the test split from what was written.

    Args:
        model: a `tf_keras.Model`, or a `tfopt.backend.quantization.Quantized`, whose float weights are written.
        context: folder, data and metrics.
        accept: claims that the recipe accepts as broken.
        batch: examples per call; None for any.
        fixed: whether axes that the model leaves open get the size of the data's examples.
        raw: how raw examples become inputs, if `serving_default` is to take raw examples.

    Returns:
        A record; of an export that failed, with `error`.
    """
    float_model, _ = saved_model.float_and_quantized(model)
    signature = saved_model.signature_of(float_model, context.compile.all_outputs)
    claims: list[ClaimRecord] = []

    def make(folder: Path) -> tuple[Path, Outputs]:
        written = folder / "saved_model"
        shapes = open_inputs(float_model, context.data.input_shape) if fixed else {}
        serving, key = None, saved_model.SIGNATURE
        if raw is not None:
            serving, key = raw_serving(raw, float_model, signature, context.data, batch), PREPARED
        saved_model.write_saved_model(float_model, signature, written, batch, shapes, serving)
        served = tf.saved_model.load(str(written)).signatures
        if raw is not None:
            serve_raw = partial(_serve, served[saved_model.SIGNATURE], batch=batch or _BATCH)
            claims.append(proof(serve_raw, raw, float_model, signature, context))
        examples = saved_model.named_inputs(context.data.test.inputs, float_model, signature)
        return written, _serve(served[key], examples, batch or _BATCH)

    return _export("saved_model", "saved_model", float_model, signature, context, make, claims, accept)


def _serve(
    serve: Callable[..., Mapping[str, tf.Tensor]], inputs: Mapping[str, ExampleArray], batch: int = _BATCH
) -> Outputs:
    """Outputs of a signature of a SavedModel that was loaded as a server does, by plain TensorFlow."""
    total = len(next(iter(inputs.values())))
    parts = [
        serve(**{name: tf.constant(values[start : start + batch]) for name, values in inputs.items()})
        for start in range(0, total, batch)
    ]
    return {name: np.concatenate([part[name].numpy() for part in parts]) for name in parts[0]}


def export_keras(
    model: tf_keras.Model | Quantized, context: ExportContext, accept: Sequence[AcceptedClaim] = ()
) -> ExportRecord:
    """Writes `model.keras` for the library that the recipe's model came from, and reads it back with that.

    A Keras 3 file is read back in a process of its own, which imports neither tf_keras nor tfopt.

    Args:
        model: a `tf_keras.Model`, or a `tfopt.backend.quantization.Quantized`, whose float weights are written, with
            the learned ranges in addition, as a note (see `keras_archive.NOTE`).
        context: folder, data, metrics, and the Keras 3 model that the recipe began with.
        accept: claims that the recipe accepts as broken.

    Returns:
        A record; with `error` where the file cannot be written, a layer cannot be saved, Keras does not read the file
        back, or the Keras 3 model would give different outputs.
    """
    float_model, _ = saved_model.float_and_quantized(model)
    signature = saved_model.signature_of(float_model, context.compile.all_outputs)
    notes = {keras_archive.NOTE: ranges_note(model)} if isinstance(model, Quantized) else {}
    write = _write_tf_keras if context.origin is None else _write_keras_3
    claims: list[ClaimRecord] = []

    def make(folder: Path) -> tuple[Path, Outputs]:
        written, outputs, found = write(float_model, signature, context, folder, notes)
        if notes:
            found.append(_WEIGHTS_AS_TRAINED)
        if "sparse" in context.traits:
            found.append(_sparsity_claim(written, float_model))
        claims.extend(found)
        return written, outputs

    record = _export("keras", "model.keras", float_model, signature, context, make, claims, accept)
    if not record.bytes:
        return record
    library = f"tf_keras {tf_keras.__version__}" if context.origin is None else f"keras {keras.__version__}"
    return record.model_copy(update={"details": {"library": library}})


_WEIGHTS_AS_TRAINED = ClaimRecord(
    claim="float weights as trained; the ranges learned by qat are metadata",
    held=True,
    found=f"the ranges are in {keras_archive.NOTE}; outputs in 8 bits are those of the .tflite files",
    code="weights_as_trained",
)


def _write_tf_keras(
    model: tf_keras.Model,
    signature: saved_model.Signature,
    context: ExportContext,
    folder: Path,
    notes: Mapping[str, object],
) -> tuple[Path, Outputs, list[ClaimRecord]]:
    trained, plain = folder / "trained", folder / "plain"
    trained.mkdir()
    plain.mkdir()
    # The only public way to leave the optimizer out of this format: load without it, and save again.
    model_store.save_model(model, trained)
    model_store.save_model(model_store.load_model(trained), plain)
    written = plain / "model.keras"
    keras_archive.finish(written, notes)
    outputs = saved_model.predict(model_store.load_model(plain), context.data.test.inputs, signature)
    found = f"tf_keras {tf_keras.__version__}"
    return written, outputs, [ClaimRecord(claim=_OPENS_IN_TF_KERAS, held=True, found=found, code="opens_in_keras")]


def _write_keras_3(
    model: tf_keras.Model,
    signature: saved_model.Signature,
    context: ExportContext,
    folder: Path,
    notes: Mapping[str, object],
) -> tuple[Path, Outputs, list[ClaimRecord]]:
    restored = bridge.back_to_keras3(context.origin, model)
    written = folder / "model.keras"
    guarded(lambda: restored.save(written), f"Saving the Keras 3 model {restored.name!r}")
    code = bridge.custom_code(restored)
    keras_archive.finish(written, notes, partial(bridge.readable, objects=code))
    own = {name: f"{one.__module__}:{one.__qualname__}" for name, one in code.items()}
    inputs = list(saved_model.named_inputs(context.data.test.inputs, model, signature).values())
    reloaded = read_back.read_back(written, inputs, len(signature.outputs), own)
    found = f"keras {reloaded.version}"
    if reloaded.custom_objects:
        found += f", given custom_objects for {', '.join(reloaded.custom_objects)}"
    if reloaded.others and not own:
        raise ExportError(
            f"Reading {written.name} back imported {', '.join(reloaded.others)}.",
            "This is a mistake in tfopt.",
            code="not_equivalent",
        )
    claim = ClaimRecord(claim=_OPENS_IN_KERAS_3, held=True, found=found, code="opens_in_keras")
    return written, dict(zip(signature.outputs, reloaded.outputs, strict=True)), [claim]


def _sparsity_claim(file: Path, model: tf_keras.Model) -> ClaimRecord:
    """Counted over all weights of two axes and more, in the file as in the model."""
    kernels = [weight.numpy() for weight in model.weights if (weight.shape.rank or 0) >= 2]
    expected = share_of_zeros(kernels)
    found = pooled_sparsity([tensor for tensor in keras_audit.weights(file) if tensor.role == "weight"])
    return ClaimRecord(
        claim="the file is as sparse as the model",
        held=abs(found - expected) < _SAME_SPARSITY,
        found=f"{found:.2%} zeros in the file, {expected:.2%} in the model",
        code="sparsity_kept",
    )


def _export(
    name: str,
    file_name: str,
    model: tf_keras.Model,
    signature: saved_model.Signature,
    context: ExportContext,
    make: Callable[[Path], tuple[Path, Outputs]],
    more_claims: Sequence[ClaimRecord],
    accept: Sequence[AcceptedClaim],
) -> ExportRecord:
    """Makes a file in a temporary folder, moves it into place, and compares the outputs that were read back from it.

    `make` may add to `more_claims`.
    """
    context.emit(ExportStarted(name))
    target = context.folder / file_name
    path = f"{context.folder.name}/{file_name}"

    def put() -> Outputs:
        with writing(target), tempfile.TemporaryDirectory(prefix=".keras-", dir=context.folder) as folder:
            written, outputs = make(Path(folder))
            put_in_place(written, target)
        return outputs

    found = attempt(put)
    if isinstance(found, Failure):
        context.emit(ExportFinished(name, 0, {}, held=False))
        return failed_export(name, name, path, found)
    record = ExportRecord(
        name=name,
        format=name,
        path=path,
        bytes=num_bytes(target),
        gzip_bytes=num_gzip_bytes(target),
        zstd_bytes=num_zstd_bytes(target),
        measures={},
    )
    judged = attempt(_judged, record, found, model, signature, context)
    record = unmeasured(record, judged) if isinstance(judged, Failure) else judged
    record = with_accepted(record.model_copy(update={"claims": [*record.claims, *more_claims]}), accept)
    for note in needless(record, accept):
        context.emit(Warned(note))
    context.emit(ExportFinished(name, record.bytes, record.measures, held=all(claim.passes for claim in record.claims)))
    return record


def _judged(
    record: ExportRecord,
    found: Outputs,
    model: tf_keras.Model,
    signature: saved_model.Signature,
    context: ExportContext,
) -> ExportRecord:
    """The record of a file with its measures, and the claim that its outputs are the model's."""
    expected = saved_model.predict(model, context.data.test.inputs, signature)
    test = context.data.test
    compared = agreement.compare_each(found, expected, context.compile, test.targets)
    measures = file_measures(found, context.data.test, context.compile, context.dense)
    least = _LEAST_AGREEMENT
    if record.format == "keras" and context.origin is not None and not is_float32(context.origin):
        least = _LEAST_AGREEMENT_OF_HALVES
    return record.model_copy(
        update={
            "measures": {**measures, **{name: value for one in compared for name, value in one.measures().items()}},
            "claims": [agreement_claim(least, comparison) for comparison in compared],
        }
    )
