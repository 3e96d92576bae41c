"""Problems and warnings about the calibration of files before training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import tf_keras

from tfopt.backend.calibration.rewrites.chains import Search
from tfopt.backend.calibration.rewrites.weight_changes import searches
from tfopt.backend.calibration.selection import calibration_split
from tfopt.backend.data.splits import Data
from tfopt.core.config.files.calibration import Calibration
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.preflight import Preflight
from tfopt.core.language.mistakes import Mistake
from tfopt.errors import StageError, TfoptError

_NAMED = 3
"""Layers whose reason is given; the others are counted."""
_NEEDED = {
    "equalize": "no convolution or dense layer whose result reaches one other such layer through ReLU or nothing",
    "smooth": "no LayerNormalization that Dense or MultiHeadAttention layers alone read",
}


def calibration_preflight(
    model: tf_keras.Model, variants: Mapping[str, Variant], traits: frozenset[Trait], data: Data | None
) -> Preflight:
    """What can be known about the calibration of each file before anything is trained.

    Args:
        model: the model that the recipe starts with.
        variants: the files by name.
        traits: what the exported model will be.
        data: the splits; None where they are not known.
    """
    found = Preflight()
    for name, variant in variants.items():
        problems = [*_without_quantizing_stage(name, variant, traits)]
        if variant.calibrated:
            learned = [*_learned_ranges(name, variant, traits)]
            problems += learned or [*_rewrites(name, variant.calibrating, model, traits)]
            found = found.joined(_selection(name, variant.calibrating, data))
        found = found.joined(Preflight(problems=tuple(problems)))
    return found


def _without_quantizing_stage(name: str, variant: Variant, traits: frozenset[Trait]) -> Iterator[Mistake]:
    if variant.ptq and "quantized" not in traits:
        message = (
            f"{name}: ptq: true makes the file from the model before the stage that quantizes, but no stage of this "
            "recipe does: the file is the same without it. Remove ptq, or add a qat stage."
        )
        yield Mistake((name, "ptq"), message, code="meaningless_key")


def _learned_ranges(name: str, variant: Variant, traits: frozenset[Trait]) -> Iterator[Mistake]:
    """Keys that change ranges or weights, in a file whose ranges come from training."""
    calibration = variant.calibrating
    if not (variant.from_qat and "quantized" in traits):
        return
    asked = {
        "range": calibration.range != "min_max",
        "equalize": calibration.equalize,
        "smooth": calibration.smooth is not None,
    }
    for key in (key for key, is_asked in asked.items() if is_asked):
        message = (
            f"{name}: {key} has no effect on the ranges that the quantizing stage learns in training. Remove it, or "
            "write ptq: true to quantize the model before that stage."
        )
        yield Mistake((name, "calibration", key), message, code="conflicting_keys")


def _rewrites(
    name: str, calibration: Calibration, model: tf_keras.Model, traits: frozenset[Trait]
) -> Iterator[Mistake]:
    """Keys that rewrite weights, where there is nothing to rewrite, or something would be lost."""
    asked = {"equalize": calibration.equalize, "smooth": calibration.smooth is not None}
    for key in (key for key, is_asked in asked.items() if is_asked):
        path = (name, "calibration", key)
        if "clustered" in traits:
            message = f"{name}: {key} scales the weights of clustered kernels, which then share no values. Remove it."
            yield Mistake(path, message, code="conflicting_keys")
            continue
        try:
            found = searches(model, smooth=key == "smooth")
        except StageError as error:
            yield Mistake(path, f"{name}: {key}: {error.message}", code=error.code)
            continue
        if not any(search.chains for search in found):
            yield Mistake(path, f"{name}: {key} finds {_NEEDED[key]}.{_why(found)} Remove it.", code="no_chain")


def _why(found: Sequence[Search]) -> str:
    reasons = [reason for search in found for reason in search.reasons]
    more = f"; and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
    return f" {'; '.join(reasons[:_NAMED])}{more}." if reasons else ""


def _selection(name: str, calibration: Calibration, data: Data | None) -> Preflight:
    """What the selection of the examples gives, tried out."""
    if data is None:
        return Preflight()
    path = (name, "calibration")
    try:
        selected = len(calibration_split(data, calibration, seed=0))
    except TfoptError as error:
        key = "examples" if error.code == "too_few_examples" and calibration.function is None else "select"
        message = f"{name}: {error.message} {error.hint}".strip()
        return Preflight(problems=(Mistake((*path, key), message, code=error.code),))
    asked = calibration.examples if "examples" in calibration.model_fields_set else selected
    if calibration.function is not None and selected != asked:
        warning = (
            f"{name}: {calibration.function} selects {selected} examples, not the {asked} of calibration.examples; "
            "all of them are used."
        )
        return Preflight(warnings=(warning,))
    if selected == 1:
        return Preflight(warnings=(f"{name}: the ranges of one calibration example fit few others.",))
    return Preflight()
