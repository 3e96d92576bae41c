"""Preprocessing inside of a SavedModel: raw examples in, outputs out; proven against the pipeline of the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.audio import tensors
from tfopt.backend.data.arrays.reading import in_memory
from tfopt.backend.data.raw_inputs import RawInputs
from tfopt.backend.explain import agreement
from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.types import Array, Shape
from tfopt.core.contracts.export import ExportContext
from tfopt.core.records.report import ClaimRecord

PREPARED = "prepared"
"""The signature that takes inputs as the model does; `serving_default` takes raw examples."""

_PAIRS = 64
"""Raw images or recordings that are prepared by the file and by the pipeline."""
_LEAST_AGREEMENT = 0.999
_LEAST_AGREEMENT_OF_RESIZED = 0.97
"""Pillow rounds after each of two passes, TensorFlow once: pixels differ by one step at most."""
_LARGEST_PIXEL = 255.0


def raw_serving(
    raw: RawInputs, model: tf_keras.Model, signature: saved_model.Signature, shape: Shape, batch: int | None
) -> saved_model.RawServing:
    """What a SavedModel of a model must do to raw examples.

    Args:
        raw: how they become inputs.
        model: with one input.
        signature: its names.
        shape: of one input.
        batch: examples per call; None for any.
    """
    (tensor,), (name,) = model.inputs, signature.inputs
    size = (None, None, shape[-1]) if raw.resized else shape
    if raw.audio is not None:
        size = (raw.audio.samples,)
    spec = tf.TensorSpec((batch, *size), raw.dtype, name=name)
    return saved_model.RawServing(spec, preprocessing(raw, shape[:2], tensor.dtype), PREPARED)


def preprocessing(raw: RawInputs, size: Sequence[int | None], dtype: tf.DType) -> Callable[[tf.Tensor], tf.Tensor]:
    """What the pipeline does to raw examples, in operations of TensorFlow.

    Args:
        raw: how they become inputs.
        size: height and width of the model's images; used where images are resized.
        dtype: of the model's input.
    """

    def prepare(examples: tf.Tensor) -> tf.Tensor:
        values = tf.cast(examples, tf.float32)
        if raw.resized:
            # Pillow's bilinear filter widens when it makes images smaller, as TensorFlow's does with antialiasing.
            resized = tf.image.resize(values, size, method="bilinear", antialias=True)
            values = tf.clip_by_value(tf.round(resized), 0.0, _LARGEST_PIXEL)
        if raw.audio is not None:
            values = tensors.features(values, raw.audio)
        normalized = (values - tf.constant(raw.mean, tf.float32)) / tf.constant(raw.std, tf.float32)
        return tf.cast(normalized, dtype)

    return prepare


def proof(
    serve: Callable[[Mapping[str, Array]], Mapping[str, Array]],
    raw: RawInputs,
    model: tf_keras.Model,
    signature: saved_model.Signature,
    context: ExportContext,
) -> ClaimRecord:
    """The claim that raw examples through the file give what the pipeline and the model give.

    Args:
        serve: outputs of `serving_default` for raw examples.
        raw: how raw examples become inputs.
        model: the float model.
        signature: names of its inputs and outputs.
        context: with the test split and the meaning of outputs.
    """
    (name,) = signature.inputs
    inputs: Array
    if raw.pairs is None:
        (given,) = saved_model.named_inputs(context.data.test.inputs, model, signature).values()
        inputs = in_memory(given, "The test examples")
        found = serve({name: raw.undone(inputs)})
    else:
        pairs = list(raw.pairs(_PAIRS))
        inputs = np.stack([prepared for _, prepared in pairs])
        parts = [serve({name: image[np.newaxis]}) for image, _ in pairs]
        found = {output: np.concatenate([part[output] for part in parts]) for output in signature.outputs}
    expected = saved_model.predict(model, inputs, signature)
    least = _LEAST_AGREEMENT_OF_RESIZED if raw.resized else _LEAST_AGREEMENT
    compared = [agreement.compare(found[port], expected[port], context.compile) for port in signature.outputs]
    what = "resized and normalized" if raw.resized else "normalized"
    if raw.audio is not None:
        what = "turned into features and normalized"
    return ClaimRecord(
        claim=f"raw examples, {what} inside, give the outputs that the inputs of the data source give",
        held=all(one.reaches(least) for one in compared),
        found="; ".join(map(str, compared)),
        code="preprocessing_inside",
    )
