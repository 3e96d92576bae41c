"""The SavedModel with the signatures of the files: written, read back, and compared with the Keras model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from tfopt.backend.audit.sizes import num_bytes, num_gzip_bytes, num_zstd_bytes
from tfopt.backend.generation.names import LOGITS, MASK, POSITIONS, TOKENS
from tfopt.backend.generation.prepare import Prepared
from tfopt.backend.generation.signatures import states_of
from tfopt.backend.generation.step import Step
from tfopt.backend.types import Array
from tfopt.core.records.report import ClaimRecord, ExportRecord

_STEPS = 16
"""Positions that `decode` of the folder computes in the proof; its graph is that of the files, proven at all."""


def record_of(folder: Path, parent: str, prepared: Prepared, sequences: Array, predicted: Array) -> ExportRecord:
    """The record of a folder.

    Args:
        folder: the SavedModel.
        parent: name of the folder around it.
        prepared: its signatures and states.
        sequences: texts, int32 (texts, context).
        predicted: what the Keras model predicts after each position.
    """
    loaded = tf.saved_model.load(str(folder))
    steps = min(_STEPS, prepared.signatures.context)
    found = _decoded(loaded.signatures["decode"], prepared, sequences[0], steps)
    same = int(np.sum(found == predicted[0, :steps]))
    claim = ClaimRecord(
        claim="the folder opens in TensorFlow, and decode gives the tokens of the Keras model",
        held=same == steps,
        found=f"{same} of {steps} tokens; signatures {', '.join(sorted(loaded.signatures))}",
        code="written",
    )
    return ExportRecord(
        name=folder.name,
        format="saved_model",
        path=f"{parent}/{folder.name}",
        bytes=num_bytes(folder),
        gzip_bytes=num_gzip_bytes(folder),
        zstd_bytes=num_zstd_bytes(folder),
        measures={"agreement": same / steps},
        claims=[claim],
        details={"signatures": [*prepared.signatures.keys]},
    )


def _decoded(decode: tf.types.experimental.ConcreteFunction, prepared: Prepared, tokens: Array, steps: int) -> Array:
    signatures = prepared.signatures
    states = states_of(prepared.plan, signatures)
    given = {name: tf.zeros(shape, dtype) for name, (shape, dtype) in states.items()}
    attends = MASK in decode.structured_input_signature[1]
    found = []
    for at in range(steps):
        position = tf.constant([at])
        mask = {MASK: Step(position, 1, signatures.context).attention_mask()} if attends else {}
        outputs = decode(**{TOKENS: tf.constant(tokens[at].reshape(1, 1)), POSITIONS: position}, **mask, **given)
        found.append(int(tf.argmax(outputs[LOGITS], -1)[0, 0]))
        given = {name: outputs[name] for name in states}
    return np.asarray(found)
