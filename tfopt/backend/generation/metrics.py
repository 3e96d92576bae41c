"""The recipe's metrics of a generative file, such as perplexity."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import tf_keras

from tfopt.backend.data.splits import Split
from tfopt.backend.export.measures import file_measures
from tfopt.backend.generation.files import noted
from tfopt.backend.generation.forward import ends_in_softmax
from tfopt.backend.generation.prepare import Prepared
from tfopt.backend.generation.sample import tokens_of
from tfopt.backend.tflite import child_process
from tfopt.backend.types import Array
from tfopt.core.claims.failures import Failure, attempt, unmeasured
from tfopt.core.contracts.export import ExportContext
from tfopt.core.records.report import ExportRecord

_MOST_VALUES = 2**28
"""Of float32 logits in memory: 1 GB; metrics of larger test splits are those of their first texts."""


def with_metrics(
    record: ExportRecord, whole: Path, model: tf_keras.Model, prepared: Prepared, context: ExportContext
) -> ExportRecord:
    """The record with the metrics of the test split.

    They come from one call over all positions of each text, with the weights of the file; that the file computes the
    same token after token is a claim of its own.

    Args:
        record: of the file.
        whole: the file with its weights that computes all positions in one call.
        model: float.
        prepared: context and states.
        context: test split and metrics.
    """
    tokens, test = tokens_of(context.data.test.inputs, model), context.data.test
    length, vocabulary = prepared.signatures.context, int(model.outputs[0].shape[-1])
    if tokens.ndim != 2 or tokens.shape[1] != length or isinstance(test.targets, dict):
        return noted(
            record, f"no metrics: they need texts of {length} positions, the context, and one target in the test split"
        )
    count = min(len(test), max(1, _MOST_VALUES // (length * vocabulary)))
    measured = attempt(_measured, whole, tokens[:count], test.select(np.arange(count)), prepared, context)
    if isinstance(measured, Failure):
        return unmeasured(record, measured)
    which = f"all {count:,} texts" if count == len(test) else f"{count:,} of {len(test):,} texts"
    note = f"metrics are of {which} of the test split, each in one call of a file with the same weights and operators"
    return noted(record.model_copy(update={"measures": {**measured, **record.measures}}), note)


def _measured(whole: Path, tokens: Array, test: Split, prepared: Prepared, context: ExportContext) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        given, target = Path(folder, "tokens.npy"), Path(folder, "logits.npy")
        np.save(given, tokens.astype(np.int32))
        arguments = {"whole": str(whole), "inputs": str(given), "target": str(target)}
        child_process.call("tfopt.backend.generation.prove:outputs", arguments)
        logits: Array = np.load(target)
    outputs = _softmax(logits) if ends_in_softmax(prepared.plan) else logits
    return file_measures({"logits": outputs}, test, context.compile, context.dense)


def _softmax(logits: Array) -> Array:
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)
