"""From the keys of a recipe to what is built: everything that can be wrong is wrong here, before training too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.data.splits import Data
from tfopt.backend.generation.litertlm import tokenizer_file
from tfopt.backend.generation.plan import Plan, plan_of
from tfopt.backend.generation.sample import context_of, test_sequences
from tfopt.backend.generation.signatures import Signatures, inputs_of, token_input
from tfopt.backend.text.tokenizer import Tokenizer
from tfopt.core.config.files.generate_file import GenerateKeys
from tfopt.core.language.suggest import closest
from tfopt.errors import ExportError, RecipePath

BUCKETS = (32, 128)
"""Lengths of prefill where the recipe names none."""


class Unfit(ExportError):
    """The model or the data do not fit the keys.

    Args:
        path: of the key, below `export.generate`.
        message: a whole sentence.
        code: one of `tfopt.core.language.error_codes`.
    """

    def __init__(self, path: RecipePath, message: str, *, code: str) -> None:
        super().__init__(message, code=code)
        self.path = path


@dataclass(frozen=True)
class Prepared:
    """A language model that is ready to be exported.

    Args:
        plan: how it computes position after position.
        signatures: which signatures its files have.
        stop: ids of the tokens that end a text.
        files: of its tokenizer, by name; empty where the data have none.
        litertlm: whether `.litertlm` files are made.
        without: why not, where the recipe leaves it open.
    """

    plan: Plan
    signatures: Signatures
    stop: tuple[int, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    litertlm: bool = False
    without: str = ""


def prepare(model: tf_keras.Model, keys: GenerateKeys, data: Data | None) -> Prepared:
    """Finds out how a model generates.

    Args:
        model: float.
        keys: of the recipe.
        data: with the tokenizer, and texts to try the model on; None for random tokens, and no tokenizer.

    Raises:
        Unfit: says what does not fit, and where in the recipe.
    """
    _check_ports(model)
    signatures = _signatures(model, keys, data)
    tokens = test_sequences(model, data, 1, model.inputs[0].shape[1] or signatures.context)
    try:
        plan = plan_of(model, [np.asarray(port) for port in inputs_of(model, tf.constant(tokens))])
    except ExportError as error:
        message = f"export.generate needs a model that computes one position after the other. {error.message}"
        raise Unfit((), message, code=error.code) from error
    if plan.sequences != (True,):
        message = (
            f"export.generate needs scores for the next token after each position, (examples, positions, tokens); "
            f"{model.output_names[0]} has the shape {_shown(model.outputs[0].shape)}."
        )
        raise Unfit((), message, code="not_stepwise")
    if keys.verify is not None and not plan.is_cache:
        others = ", ".join(name for name in plan.states if not name.startswith("kv_cache_")) or "nothing"
        message = (
            "verify needs a state that tokens can be taken back from, which is caches of attention; this model has "
            f"{others}."
        )
        raise Unfit(("verify",), message, code="conflicting_keys")
    return _with_tokenizer(Prepared(plan, signatures), model, keys, data)


def _check_ports(model: tf_keras.Model) -> None:
    if not model.inputs or token_input(model) is None:
        shown = ", ".join(
            f"{name} {_shown(port.shape)} {port.dtype.name}"
            for name, port in zip(getattr(model, "input_names", ()), model.inputs or (), strict=False)
        )
        message = (
            "export.generate needs a model of token ids: one integer input (examples, positions), and masks of "
            f"padding; this one has {shown or 'inputs that are not known before it runs'}."
        )
        raise Unfit((), message, code="not_stepwise")
    if len(model.outputs) != 1 or model.outputs[0].shape.rank != 3 or model.outputs[0].shape[-1] is None:
        shapes = ", ".join(_shown(port.shape) for port in model.outputs)
        message = (
            "export.generate needs a model with one output, scores for the next token after each position, (examples, "
            f"positions, tokens); this one has {shapes}."
        )
        raise Unfit((), message, code="not_stepwise")


def _signatures(model: tf_keras.Model, keys: GenerateKeys, data: Data | None) -> Signatures:
    length = context_of(model, data)
    context = keys.context or length
    if context is None:
        message = "context must be given: the model takes sequences of any length."
        raise Unfit(("context",), message, code="missing_key")
    fixed = model.inputs[0].shape[1]
    if fixed is not None and context > fixed:
        message = f"context: {context} is longer than the sequences of the model, which have {fixed} positions."
        raise Unfit(("context",), message, code="conflicting_keys")
    prefill = keys.prefill or tuple(length for length in BUCKETS if length <= context) or (context,)
    for key, size in {"prefill": max(prefill), "verify": keys.verify or 0}.items():
        if size > context:
            message = f"{key}: {size} is longer than the context of {context} tokens."
            raise Unfit((key,), message, code="conflicting_keys")
    return Signatures(context, tuple(sorted(set(prefill))), keys.verify, keys.cache)


def _with_tokenizer(prepared: Prepared, model: tf_keras.Model, keys: GenerateKeys, data: Data | None) -> Prepared:
    preprocessing = None if data is None else data.preprocessing
    files = {} if preprocessing is None else preprocessing.files
    name = tokenizer_file(files)
    if name is None:
        if keys.stop:
            message = "stop needs a tokenizer, and the data have none: add data.text.tokenizer, or remove stop."
            raise Unfit(("stop",), message, code="conflicting_keys")
        reason = "the data have no tokenizer"
        return _decided(prepared, keys, reason)
    tokenizer, size = Tokenizer.from_files(files), int(model.outputs[0].shape[-1])
    if tokenizer.vocabulary_size > size:
        message = (
            f"The tokenizer has {tokenizer.vocabulary_size} tokens, and the model scores {size}: it could not write "
            "all of them."
        )
        raise Unfit((), message, code="incompatible_shapes")
    stop = tuple(_id(token, position, tokenizer) for position, token in enumerate(keys.stop))
    others = [state for state in prepared.plan.states if not state.startswith("kv_cache_")]
    reason = f"LiteRT-LM keeps caches of attention only, and this model has {', '.join(others[:3])}" if others else ""
    return _decided(replace(prepared, stop=stop, files={name: files[name]}), keys, reason)


def _decided(prepared: Prepared, keys: GenerateKeys, reason: str) -> Prepared:
    """With the decision about `.litertlm` files; `reason` says why they are impossible."""
    if keys.litertlm and reason:
        raise Unfit(("litertlm",), f"litertlm: true is not possible: {reason}.", code="conflicting_keys")
    wanted = keys.litertlm is not False
    return replace(prepared, litertlm=wanted and not reason, without=reason if wanted else "")


def _id(token: str, position: int, tokenizer: Tokenizer) -> int:
    found = tokenizer.id_of(token)
    if found is None:
        near = closest(token, tokenizer.vocabulary)
        message = f"None of the {tokenizer.vocabulary_size} tokens of the tokenizer is {token!r}.{near}"
        raise Unfit(("stop", position), message, code="unknown_token")
    return found


def _shown(shape: tf.TensorShape) -> str:
    return "(" + ", ".join("any" if size is None else str(size) for size in shape) + ")"
