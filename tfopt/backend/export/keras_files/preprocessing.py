"""Preprocessing inside of a SavedModel: raw examples in, outputs out; proven against the pipeline of the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.audio import tensors
from tfopt.backend.data.arrays.reading import in_memory, named
from tfopt.backend.data.raw_inputs import RawInputs
from tfopt.backend.data.splits import Data
from tfopt.backend.data.vocabulary import tokenizer_of
from tfopt.backend.explain import agreement
from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.export.texts.raw_texts import RawTexts, golden_texts
from tfopt.backend.export.texts.tokenizing import tokenizing
from tfopt.backend.text.tokenizer import Tokenizer
from tfopt.backend.types import Array
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
    raw: RawInputs | RawTexts, model: tf_keras.Model, signature: saved_model.Signature, data: Data, batch: int | None
) -> saved_model.RawServing:
    """What a SavedModel of a model must do to raw examples.

    Args:
        raw: how they become inputs.
        model: with one input.
        signature: its names.
        data: of the run.
        batch: examples per call; None for any.
    """
    (tensor,), (name,) = model.inputs, signature.inputs
    if isinstance(raw, RawTexts):
        prepare, table = tokenizing(_tokenizer(data), raw, tensor.dtype)
        return saved_model.RawServing(tf.TensorSpec((batch,), tf.string, name=name), prepare, PREPARED, table)
    shapes = data.input_shape
    shape = next(iter(shapes.values())) if isinstance(shapes, dict) else shapes
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
    raw: RawInputs | RawTexts,
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
    least, what = _LEAST_AGREEMENT, "normalized"
    inputs: Array
    if isinstance(raw, RawTexts):
        what = "tokenized"
        inputs, texts = _texts(raw, context.data)
        if not len(texts):
            return _claim(what, False, "no ids of the test split can be written as the text that they come from")
        found = serve({name: texts})
    elif raw.pairs is None:
        (given,) = saved_model.named_inputs(context.data.test.inputs, model, signature).values()
        inputs = in_memory(given, "The test examples")
        found = serve({name: raw.undone(inputs)})
    else:
        what = "turned into features and normalized" if raw.audio is not None else "resized and normalized"
        least = _LEAST_AGREEMENT_OF_RESIZED if raw.resized else _LEAST_AGREEMENT
        pairs = list(raw.pairs(_PAIRS))
        inputs = np.stack([prepared for _, prepared in pairs])
        parts = [serve({name: image[np.newaxis]}) for image, _ in pairs]
        found = {output: np.concatenate([part[output] for part in parts]) for output in signature.outputs}
    expected = saved_model.predict(model, inputs, signature)
    compared = agreement.compare_each(found, expected, context.compile)
    return _claim(what, all(one.reaches(least) for one in compared), "; ".join(map(str, compared)))


def _claim(what: str, held: bool, found: str) -> ClaimRecord:
    claim = f"raw examples, {what} inside, give the outputs that the inputs of the data source give"
    return ClaimRecord(claim=claim, held=held, found=found, code="preprocessing_inside")


def _texts(raw: RawTexts, data: Data) -> tuple[Array, Array]:
    """Test inputs and the texts that they come from, of those that can be written as texts again."""
    inputs = in_memory(next(iter(named(data.test.inputs).values())), "The test examples")
    texts = golden_texts(data, raw, inputs)
    known = [index for index, text in enumerate(texts) if text is not None]
    return inputs[known], np.array([texts[index] for index in known], object)


def _tokenizer(data: Data) -> Tokenizer:
    tokenizer = tokenizer_of(data)
    if tokenizer is None:
        raise ValueError("these data have no tokenizer")
    return tokenizer
