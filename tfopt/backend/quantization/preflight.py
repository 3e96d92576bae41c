"""Problems and warnings of a qat stage that are known before training."""

from __future__ import annotations

import tf_keras

from tfopt.backend.graph.not_convertible import layers_not_convertible
from tfopt.backend.quantization.annotation import original_layer_treatments
from tfopt.backend.quantization.canonical import canonicalize, flattened_layers
from tfopt.backend.quantization.float_fallback import original_float_layers
from tfopt.core.config.quantization import FloatPolicy, Quantization
from tfopt.core.contracts.preflight import Preflight, Workload
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.wording import counted


def preflight(
    model: tf_keras.Model, quantization: Quantization, workload: Workload, float_layers: FloatPolicy = "listed"
) -> Preflight:
    """Checks a model against a qat stage: rules that match no layer, layers that stay float, and so on.

    Args:
        model: built; the model before the stage.
        quantization: keys of the stage.
        workload: sizes of the data and of the training.
        float_layers: which layers may stay float.
    """
    canonical = canonicalize(model)
    treatments = original_layer_treatments(canonical, quantization)
    kinds = {name: kind for original in canonical.original_layers for name, kind in original.rule_targets}
    problems: list[Mistake] = [
        Mistake(
            ("layers", index, "match"),
            f"matches no layer: {rule.described}. Layers: {', '.join(kinds)}.",
            code="unknown_layer",
        )
        for index, rule in enumerate(quantization.layers)
        if not any(rule.applies_to(name, kind) for name, kind in kinds.items())
    ]
    problems += [
        Mistake((), f"cannot simulate {name}: {reason}.", code="layer_not_convertible")
        for name, reason in layers_not_convertible(model).items()
    ]
    weighted = {layer.name for _, layer in flattened_layers(model) if layer.weights}
    if not any(name in weighted and treatment.startswith("simulated") for name, treatment in treatments.items()):
        text = "finds no layer with weights that it can simulate in 8 bits; leave the stage out."
        problems.append(Mistake((), text, code="no_layer_left"))
    floats = [f"{name} ({kinds[name]}): {reason}" for name, reason in original_float_layers(canonical).items()]
    if floats and float_layers == "forbid":
        problems.append(
            Mistake(
                ("float_layers",),
                f"is `forbid`, but {len(floats)} layer{'s stay' if len(floats) > 1 else ' stays'} float in an int8 "
                f"file: {'; '.join(floats)}. Replace them, or write float_layers: listed to allow these and no others.",
                code="float_layers",
            )
        )
    warnings = [] if float_layers == "forbid" else [f"stays float in an int8 file: {sentence}." for sentence in floats]
    if quantization.calibration > workload.examples:
        warnings.append(
            f"calibration asks for {counted(quantization.calibration, 'example')}, the training split has "
            f"{workload.examples}; "
            "all of them are used."
        )
    skipped = {name: "quantized after training" for name, how in treatments.items() if how.startswith("after training")}
    return Preflight(problems=tuple(problems), warnings=tuple(warnings), skipped=skipped)
