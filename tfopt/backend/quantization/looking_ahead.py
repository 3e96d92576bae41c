"""All that is knowable of a qat stage before training."""

from __future__ import annotations

import tf_keras

from tfopt.backend.canonical import canonicalize, walk
from tfopt.backend.quantization.annotation import treatments
from tfopt.core.preflight import Preflight, Workload
from tfopt.core.quantization import Quantization


def look_ahead(model: tf_keras.Model, quantization: Quantization, workload: Workload) -> Preflight:
    """Problems and warnings of a qat stage, for `tfopt plan`: rules for no layer, layers that stay float."""
    canonical = canonicalize(model)
    found = treatments(canonical, quantization)
    kinds = {name: kind for origin in canonical.all_origins for name, kind in origin.answers_to}
    problems: list[tuple[tuple[str | int, ...], str]] = [
        (("layers", index, "match"), f"matches no layer: {rule.match!r}. Layers: {', '.join(kinds)}.")
        for index, rule in enumerate(quantization.layers)
        if not any(rule.applies_to(name, kind) for name, kind in kinds.items())
    ]
    weighted = {layer.name for _, layer in walk(model) if layer.weights}
    if not any(name in weighted and treatment.startswith("simulated") for name, treatment in found.items()):
        problems.append(((), "finds no layer with weights that it can simulate in 8 bits; leave the stage out."))
    warnings = [
        f"{name} ({kinds[name]}) stays float in an int8 file: {treatment.removeprefix('float: ')}."
        for name, treatment in found.items()
        if treatment.startswith("float: ")
    ]
    if quantization.calibration > workload.examples:
        warnings.append(
            f"calibration asks for {quantization.calibration} examples, the training split has {workload.examples}; "
            "all of them are used."
        )
    skipped = {name: "quantized after training" for name, how in found.items() if how.startswith("after training")}
    return Preflight(problems=tuple(problems), warnings=tuple(warnings), skipped=skipped)
