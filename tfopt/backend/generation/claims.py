"""What is claimed of the files of a language model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tf_keras

from tfopt.backend.generation.files import weight_claims
from tfopt.backend.generation.names import MASK, POSITIONS, TOKENS
from tfopt.backend.generation.prepare import Prepared
from tfopt.backend.generation.prove import Proof
from tfopt.backend.generation.signatures import states_of
from tfopt.backend.text.tokenizer import Tokenizer
from tfopt.backend.tflite import child_process
from tfopt.backend.types import Array
from tfopt.core.claims.agreement import broken_claim
from tfopt.core.claims.failures import Failure, attempt
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.contracts.export import ExportContext
from tfopt.core.records.report import AuditRecord, ClaimRecord

_PROMPTS = 20
"""Texts that LiteRT-LM continues."""
_SEED = 5


def claims_of(
    model: tf_keras.Model,
    variant: Variant,
    context: ExportContext,
    audit: AuditRecord,
    prepared: Prepared,
    proven: Proof | Failure,
    predicted: Array,
) -> list[ClaimRecord]:
    """Every claim about one file.

    Args:
        model: float.
        variant: its keys.
        context: traits and layers of the model.
        audit: what it contains.
        prepared: what it should contain.
        proven: reply of `tfopt.backend.generation.prove:compare`.
        predicted: tokens that the Keras model predicts, (texts, positions).
    """
    claims = weight_claims(model, variant, context, audit)
    if isinstance(proven, Failure):
        return claims
    return [*claims, _signatures(prepared, proven["signatures"]), _exact(proven), _same(variant, proven, predicted)]


def _signatures(prepared: Prepared, found: Mapping[str, Mapping[str, Mapping[str, list[object]]]]) -> ClaimRecord:
    """That LiteRT-LM finds every tensor under the name, type and shape that it reads."""
    signatures = prepared.signatures
    states = {name: [[*shape], dtype] for name, (shape, dtype) in states_of(prepared.plan, signatures).items()}
    claim = f"signatures {', '.join(signatures.keys)} with tokens, positions" + (
        ", mask and caches as LiteRT-LM reads them" if prepared.plan.is_cache else " and states"
    )
    wrong = [f"{key} is missing" for key in signatures.keys if key not in found]
    for key, (length, logits) in signatures.lengths().items():
        if key not in found:
            continue
        given = {TOKENS: [[1, length], "int32"], POSITIONS: [[length], "int32"], **states}
        if prepared.plan.is_cache:
            given[MASK] = [[1, 1, length, signatures.context], "float32"]
        ports = found[key]
        wrong += [
            f"{key}: {name} is {ports['inputs'].get(name)}, not {port}"
            for name, port in given.items()
            if ports["inputs"].get(name) != port
        ]
        wrong += [
            f"{key} returns {name} as {ports['outputs'].get(name)}, not {port}"
            for name, port in states.items()
            if ports["outputs"].get(name) != port
        ]
        if logits != ("logits" in ports["outputs"]):
            wrong.append(f"{key} returns {'no ' if logits else ''}logits")
    if wrong:
        return broken_claim(claim, "; ".join(wrong[:4]), code="generation_signatures")
    held = f"{len(found)} signatures, {len(states)} states of {prepared.signatures.context} positions"
    return ClaimRecord(claim=claim, held=True, found=held, code="generation_signatures")


def _exact(proven: Proof) -> ClaimRecord:
    claim = "token for token what full recomputation with the same weights gives, at every length"
    found = (
        f"{proven['steps']} steps of decode and {proven['prompts']} prompts through prefill, largest difference of two "
        f"logits {proven['difference']:.3g}"
    )
    if proven["wrong"]:
        return broken_claim(claim, f"{'; '.join(proven['wrong'][:3])} ({found})", code="state_is_exact")
    return ClaimRecord(claim=claim, held=True, found=found, code="state_is_exact")


def _same(variant: Variant, proven: Proof, predicted: Array) -> ClaimRecord:
    least, share = variant.least_agreement(), float(np.mean(np.asarray(proven["predicted"]) == predicted))
    claim = f"same next token as the Keras model after at least {least:.4g} of the positions of test texts"
    found = f"{share:.2%} of {predicted.size} positions"
    return ClaimRecord(claim=claim, held=share >= least, found=found, code="same_outputs")


def in_litert_lm(tflite: Path, litertlm: Path, prepared: Prepared, sequences: Array) -> ClaimRecord:
    """That LiteRT-LM continues prompts as the interpreter does.

    Args:
        tflite: the file for the interpreter.
        litertlm: the same with tokenizer and metadata.
        prepared: tokenizer, context and stop tokens.
        sequences: tokens that prompts are cut out of.
    """
    tokenizer, length = Tokenizer.from_files(prepared.files), prepared.signatures.context
    prompts = _prompts(tokenizer, sequences, length)
    claim = f"LiteRT-LM continues {len(prompts)} prompts with the tokens of the interpreter, to the end of the context"
    if not prompts:
        return broken_claim(claim, "no piece of the test split is a text", code="runs_in_litert_lm")
    ran = attempt(
        child_process.call,
        "tfopt.backend.generation.engine:texts",
        {"path": str(litertlm), "prompts": prompts},
    )
    if isinstance(ran, Failure):
        return broken_claim(claim, ran.reason, code="runs_in_litert_lm")
    ids = [tokenizer.encode(prompt) for prompt in prompts]
    continued = attempt(
        child_process.call,
        "tfopt.backend.generation.prove:continuations",
        {"path": str(tflite), "prompts": ids, "stop": [*prepared.stop]},
    )
    if isinstance(continued, Failure):
        return broken_claim(claim, continued.reason, code="runs_in_litert_lm")
    for prompt, own, read, text, tokens in zip(prompts, ids, ran["tokens"], ran["texts"], continued, strict=True):
        if own != read:
            return broken_claim(
                claim, f"LiteRT-LM reads {prompt!r} as tokens {read}, not {own}", code="runs_in_litert_lm"
            )
        shown = [tokens, tokens[:-1]] if tokens and tokens[-1] in prepared.stop else [tokens]
        # LiteRT-LM writes special tokens, such as [UNK], out.
        if text not in [tokenizer.decode(each, special_tokens=True) for each in shown]:
            expected = tokenizer.decode(shown[-1], special_tokens=True)
            return broken_claim(
                claim, f"after {prompt!r}: {text[:80]!r}, not {expected[:80]!r}", code="runs_in_litert_lm"
            )
    total = sum(len(each) for each in continued)
    return ClaimRecord(claim=claim, held=True, found=f"the same texts, {total} tokens", code="runs_in_litert_lm")


def _prompts(tokenizer: Tokenizer, sequences: Array, context: int) -> list[str]:
    """Texts whose tokens are theirs again when they are read back: a piece of a text need not be one."""
    random = np.random.default_rng(_SEED)
    found: list[str] = []
    for _ in range(10 * _PROMPTS):
        row = sequences[random.integers(len(sequences))]
        length = int(random.integers(1, max(2, context // 2)))
        start = int(random.integers(0, len(row) - length + 1))
        text = tokenizer.decode([int(token) for token in row[start : start + length]])
        if text.strip() and 1 <= len(tokenizer.encode(text)) < context:
            found.append(text)
        if len(found) == _PROMPTS:
            break
    return found
