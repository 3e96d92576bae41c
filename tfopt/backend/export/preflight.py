"""Problems and warnings about `.tflite` files before training, from the layers of the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import tf_keras

from tfopt.backend import quantization
from tfopt.backend.export.float_rules import unmatched_rules
from tfopt.backend.graph.layers import layer_type, leaf_layers
from tfopt.backend.graph.not_convertible import layers_not_convertible
from tfopt.backend.graph.saved_model_layer import reason_without_layers
from tfopt.core.config.tflite_variant import Variant
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.preflight import Preflight
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.suggest import closest


def tflite_preflight(model: tf_keras.Model, variants: Mapping[str, Variant], traits: frozenset[Trait]) -> Preflight:
    """Layers that cannot be converted, and layers that integer files compute in float or wrongly.

    Args:
        model: the model that the recipe starts with.
        variants: the files by name.
        traits: what the exported model will be. A quantized one was checked by the stage that quantized it.
    """
    found = Preflight(
        problems=tuple(
            Mistake((), f"export.tflite cannot hold the layer {name}: {reason}.", code="layer_not_convertible")
            for name, reason in layers_not_convertible(model).items()
        )
    )
    found = found.joined(Preflight(problems=tuple(_unmatched_rules(model, variants))))
    integer_files = {name: v for name, v in variants.items() if v.mode.integer_only and v.mode.calibrated}
    if not integer_files or "quantized" in traits or reason_without_layers(model) is not None:
        return found
    return found.joined(_calibrated_after_training(model, integer_files))


def _unmatched_rules(model: tf_keras.Model, variants: Mapping[str, Variant]) -> Iterator[Mistake]:
    for name, variant in variants.items():
        for index in unmatched_rules(variant, model):
            rule = (variant.layers or ())[index]
            key = "match" if rule.match != ".*" else "type"
            wanted = rule.match if key == "match" else rule.type or ""
            known = {layer.name: layer_type(layer) for layer in leaf_layers(model)}
            choices = dict.fromkeys(known if key == "match" else known.values())
            yield Mistake(
                (name, "layers", index, key),
                f"matches no layer: {wanted!r}.{closest(wanted, choices)} Layers: {', '.join(choices)}.",
                code="unknown_layer",
            )


def _calibrated_after_training(model: tf_keras.Model, files: Mapping[str, Variant]) -> Preflight:
    """Integer files of a model that no stage quantized: what stays float."""
    subject = ", ".join(files)
    floats = quantization.float_layers(model)
    return Preflight(warnings=tuple(f"{subject}: {name} stays float: {reason}." for name, reason in floats.items()))
