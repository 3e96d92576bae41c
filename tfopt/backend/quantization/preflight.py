"""All that is knowable of a qat stage before training."""

from __future__ import annotations

import tf_keras

from tfopt.backend.graph.not_convertible import layers_not_convertible
from tfopt.backend.quantization.annotation import treatments
from tfopt.backend.quantization.canonical import canonicalize, walk
from tfopt.backend.quantization.float_fallback import float_originals
from tfopt.core.config.quantization import FloatPolicy, Quantization
from tfopt.core.contracts.preflight import Preflight, Workload
from tfopt.core.language.mistakes import Mistake


def look_ahead(
    model: tf_keras.Model, quantization: Quantization, workload: Workload, float_layers: FloatPolicy = "listed"
) -> Preflight:
    """Problems and warnings of a qat stage, for `tfopt plan`: rules for no layer, layers that stay float."""
    canonical = canonicalize(model)
    found = treatments(canonical, quantization)
    kinds = {name: kind for origin in canonical.all_origins for name, kind in origin.answers_to}
    problems: list[Mistake] = [
        Mistake(
            ("layers", index, "match"),
            f"matches no layer: {rule.match!r}. Layers: {', '.join(kinds)}.",
            code="unknown_layer",
        )
        for index, rule in enumerate(quantization.layers)
        if not any(rule.applies_to(name, kind) for name, kind in kinds.items())
    ]
    problems += [
        Mistake((), f"cannot simulate {name}: {reason}.", code="layer_not_convertible")
        for name, reason in layers_not_convertible(model).items()
    ]
    weighted = {layer.name for _, layer in walk(model) if layer.weights}
    if not any(name in weighted and treatment.startswith("simulated") for name, treatment in found.items()):
        text = "finds no layer with weights that it can simulate in 8 bits; leave the stage out."
        problems.append(Mistake((), text, code="no_layer_left"))
    floats = [f"{name} ({kinds[name]}): {reason}" for name, reason in float_originals(canonical).items()]
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
            f"calibration asks for {quantization.calibration} examples, the training split has {workload.examples}; "
            "all of them are used."
        )
    skipped = {name: "quantized after training" for name, how in found.items() if how.startswith("after training")}
    return Preflight(problems=tuple(problems), warnings=tuple(warnings), skipped=skipped)
