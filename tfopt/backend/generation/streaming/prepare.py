"""Whether a model can read a stream, and in which pieces; what cannot is said before training, too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tf_keras

from tfopt.backend.data.splits import Data
from tfopt.backend.export.keras_files.saved_model import Signature, signature_of
from tfopt.backend.export.preflight import unmatched_mistakes
from tfopt.backend.generation.parts import counts_positions
from tfopt.backend.generation.plan import Plan, plan_of
from tfopt.backend.generation.prepare import Unfit
from tfopt.backend.graph.layers import leaf_layers
from tfopt.backend.quantizer.preflight import quantizer_preflight
from tfopt.backend.types import Array
from tfopt.core.config.files.generate_file import StreamingKeys
from tfopt.core.contracts.export import ExportWorkload
from tfopt.core.contracts.preflight import Preflight
from tfopt.core.language.mistakes import Mistake
from tfopt.errors import ExportError

WHOLE = "whole"
"""The signature that reads a whole sequence; it proves the others, and is in no file."""


@dataclass(frozen=True)
class Prepared:
    """A model that is ready to be exported.

    Args:
        plan: how it computes position after position.
        frames: of a call, for each signature.
        length: frames of a whole sequence.
        signature: names of its inputs and outputs.
    """

    plan: Plan
    frames: tuple[int, ...]
    length: int
    signature: Signature

    @property
    def keys(self) -> list[str]:
        """Names of the signatures of a file."""
        return [f"stream_{count}" for count in self.frames]


def prepare(model: tf_keras.Model, keys: StreamingKeys, data: Data | None) -> Prepared:
    """Tries a model on a sequence, at once and in pieces.

    Raises:
        Unfit: says what does not fit, and where in the recipe.
    """
    if not model.inputs or len(model.inputs) != 1 or (model.inputs[0].shape.rank or 0) < 2:
        shapes = ", ".join(str(tuple(port.shape)) for port in model.inputs or ())
        message = (
            f"export.streaming needs a model of one sequence, (examples, frames, ...); this one has {shapes or 'none'}."
        )
        raise Unfit((), message, code="not_stepwise")
    if len(model.outputs) != 1:
        message = f"export.streaming needs a model with one output; this one has {', '.join(model.output_names)}."
        raise Unfit((), message, code="not_stepwise")
    example = _example(model, data)
    length = example.shape[1]
    if length < 2:
        message = f"export.streaming needs sequences of several frames; these have {length}."
        raise Unfit((), message, code="not_stepwise")
    frames = tuple(sorted(set(keys.frames)))
    if frames[-1] > length:
        message = f"frames: {frames[-1]} is longer than the sequences of the model, which have {length}."
        raise Unfit(("frames",), message, code="conflicting_keys")
    for count in frames:
        if length % count % frames[0]:
            message = (
                f"frames: pieces of {count} do not fill sequences of {length} frames, and the rest is no multiple of "
                f"{frames[0]}, the smallest; add 1 to frames."
            )
            raise Unfit(("frames",), message, code="conflicting_keys")
    try:
        plan = plan_of(model, [example])
    except ExportError as error:
        message = f"export.streaming needs a model that reads one frame after the other. {error.message}"
        raise Unfit((), message, code=error.code) from error
    _check_end(model, plan)
    return Prepared(plan, frames, length, signature_of(model))


def streaming_preflight(model: tf_keras.Model, keys: StreamingKeys, workload: ExportWorkload) -> Preflight:
    """Problems and warnings about `export.streaming`."""
    try:
        prepare(model, keys, workload.data)
    except Unfit as unfit:
        return Preflight(problems=(Mistake(unfit.path, unfit.message, code=unfit.code),))
    variants = {name: file.variant for name, file in keys.files.items()}
    found = quantizer_preflight(model, variants, workload.traits)
    problems = (*unmatched_mistakes(model, variants), *found.problems)
    warnings = [f"streaming: {warning}" for warning in found.warnings]
    if "quantized" in workload.traits:
        warnings.append("streaming: the files will be made of the float weights, without the integers of qat.")
    return Preflight(problems=tuple(each.below("files") for each in problems), warnings=tuple(warnings))


def _check_end(model: tf_keras.Model, plan: Plan) -> None:
    """A stream has no end: what counts positions, or keeps all of them, has one."""
    caches = [name for name in plan.states if name.startswith("kv_cache_")]
    counting = [layer.name for layer in leaf_layers(model) if counts_positions(layer)]
    if caches:
        reason = "it has attention, which keeps every frame; export.generate makes files of language models with it"
    elif counting or plan.placed or plan.counted:
        reason = f"{counting[0] if counting else 'a layer'} computes with the number of a frame, which has no end"
    elif not plan.states:
        reason = "no layer keeps a state: export.tflite runs it on any frame"
    else:
        return
    raise Unfit(
        (), f"export.streaming needs a model whose state stays as large as it is: {reason}.", code="not_stepwise"
    )


def _example(model: tf_keras.Model, data: Data | None) -> Array:
    """One sequence: of the test split, or random."""
    port = model.inputs[0]
    if data is not None and not isinstance(data.test.inputs, dict) and len(data.test):
        return np.asarray(data.test.inputs[:1], port.dtype.as_numpy_dtype)
    shape = [1, *(16 if size is None else size for size in port.shape[1:])]
    if port.dtype.is_integer:
        return np.ones(shape, port.dtype.as_numpy_dtype)
    return np.random.default_rng(0).normal(size=shape).astype(port.dtype.as_numpy_dtype)
