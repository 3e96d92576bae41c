"""Problems and warnings about `.tflite` files before training, from the layers of the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import tf_keras

from tfopt.backend import quantization
from tfopt.backend.export.integers.float_rules import unmatched_rules
from tfopt.backend.export.keras_files.open_inputs import open_inputs
from tfopt.backend.export.keras_files.saved_model import needs_fixed_batch
from tfopt.backend.graph.layers import layer_type, leaf_layers
from tfopt.backend.graph.not_convertible import layers_not_convertible, layers_with_complex_numbers
from tfopt.backend.graph.saved_model_layer import reason_without_layers
from tfopt.backend.quantization.canonical import Canonical, canonicalize
from tfopt.backend.quantization.canonical.masks.rules import STEP_BY_STEP
from tfopt.backend.quantization.float_fallback import original_float_layers
from tfopt.backend.types import Shape
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.preflight import Preflight
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.suggest import closest


def tflite_preflight(
    model: tf_keras.Model,
    variants: Mapping[str, Variant],
    traits: frozenset[Trait],
    example: Shape | Mapping[str, Shape] | None = None,
) -> Preflight:
    """Layers that cannot be converted, and layers that integer files compute in float or wrongly.

    Args:
        model: the model that the recipe starts with.
        variants: the files by name.
        traits: what the exported model will be. A quantized one was checked by the stage that quantized it.
        example: shape of one example of the data, by input name where there are several; None where it is not known.
    """
    shapes = open_inputs(model, example)
    found = Preflight(
        problems=tuple(
            Mistake((), f"export.tflite cannot hold the layer {name}: {reason}.", code="layer_not_convertible")
            for name, reason in {
                **layers_not_convertible(model),
                **layers_with_complex_numbers(model, shapes),
            }.items()
        )
    )
    found = found.joined(Preflight(problems=tuple(unmatched_mistakes(model, variants))))
    found = found.joined(_sizes(model, variants, shapes))
    integer_files = {name: v for name, v in variants.items() if v.mode.integer_only}
    if not integer_files or reason_without_layers(model) is not None:
        return found
    fixed = all(variant.fixed_shape for variant in integer_files.values())
    masked = quantization.integer_form(model, shapes if fixed else {})
    trained = {name: v for name, v in integer_files.items() if "quantized" in traits and v.from_qat}
    others = {name: v for name, v in integer_files.items() if name not in trained}
    converted = {name: v for name, v in others.items() if v.engine == "converter"}
    if masked is not None and trained:
        found = found.joined(_masked(canonicalize(model), trained))
    if masked is not None and others:
        found = found.joined(_masked(masked, others))
    return found.joined(_calibrated_after_training(model, masked, converted)) if converted else found


def unmatched_mistakes(model: tf_keras.Model, variants: Mapping[str, Variant]) -> Iterator[Mistake]:
    """Rules of files that match no layer."""
    for name, variant in variants.items():
        for index in unmatched_rules(variant, model):
            rule = (variant.layers or ())[index]
            key = "match" if rule.match != ".*" else "type"
            wanted = rule.match if key == "match" else rule.type or ""
            known = {layer.name: layer_type(layer) for layer in leaf_layers(model)}
            choices = dict.fromkeys(known if key == "match" else known.values())
            yield Mistake(
                (name, "layers", index, key),
                f"matches no layer: {rule.described}.{_guess(wanted, choices)} Layers: {', '.join(choices)}.",
                code="unknown_layer",
            )


def _guess(wanted: str, choices: Mapping[str, None]) -> str:
    """A similar one; nothing where it is there, and the other key of the rule does not fit it."""
    return "" if wanted in choices else closest(wanted, choices)


def _sizes(model: tf_keras.Model, variants: Mapping[str, Variant], shapes: Mapping[str, Shape]) -> Preflight:
    """What is done with the number of examples per call, and with open axes of the inputs."""
    warnings = [
        f"{', '.join(names)}: the model leaves the shape of {name} open; the file"
        f"{'s are' if len(names) > 1 else ' is'} for that of the data, {list(shape)} (shape: dynamic leaves it open)."
        for name, shape in shapes.items()
        if (names := [name for name, variant in variants.items() if variant.fixed_shape])
    ]
    if not needs_fixed_batch(model):
        return Preflight(warnings=tuple(warnings))
    problems = [
        Mistake(
            (name, "batch"),
            f"{name} cannot have batch: dynamic: the converter takes recurrent layers and GroupNormalization with a "
            "fixed number of examples only. Leave batch out, or write batch: 1.",
            code="layer_not_convertible",
        )
        for name, variant in variants.items()
        if variant.any_batch
    ]
    return Preflight(problems=tuple(problems), warnings=tuple(warnings))


def _masked(form: Canonical, files: Mapping[str, Variant]) -> Preflight:
    """Integer files of a model with masks: which recurrent layers they unroll."""
    unrolled = [layer.layer for layer in form.rewrites if STEP_BY_STEP in layer.titles]
    return Preflight(
        warnings=tuple(
            f"{', '.join(files)}: {name} has a mask, so it is computed step by step (unrolled, each step with its own "
            "operators), which makes the file larger."
            for name in unrolled
        )
    )


def _calibrated_after_training(
    model: tf_keras.Model, masked: Canonical | None, files: Mapping[str, Variant]
) -> Preflight:
    """Integer files of a model that no stage quantized: what stays float.

    Args:
        model: the model that the recipe starts with.
        masked: it with masks as tensors; None where it has none.
        files: the files by name.
    """
    subject = ", ".join(files)
    floats = quantization.float_layers(model) if masked is None else original_float_layers(masked)
    return Preflight(warnings=tuple(f"{subject}: {name} stays float: {reason}." for name, reason in floats.items()))
