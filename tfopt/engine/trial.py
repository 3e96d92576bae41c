"""A plan, and the files that the converter makes of the untrained model: what a run would find out after training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tfopt.core.config.quantization import Quantization
from tfopt.core.contracts.trial import TrialConversion, TrialWorkload, looked_at
from tfopt.core.recipe.plan import Plan
from tfopt.engine.prepared import Prepared


def with_trial_files(prepared: Prepared) -> Plan:
    """The plan with the operators of its `.tflite` files, of each and by layer.

    Raises:
        ExportError: the converter's process cannot write its files.
    """
    from tfopt.backend import layer_support

    plan = prepared.plan
    # The class of a stage that quantizes is both a Stage and a Quantization.
    stages: tuple[object, ...] = plan.recipe.stages
    simulated = next((stage for stage in reversed(stages) if isinstance(stage, Quantization)), None)
    workload = TrialWorkload(prepared.data, bool(plan.recipe.stages), simulated)
    files = tuple(file for target in plan.recipe.export for file in target.trial(prepared.layout, workload))
    shown = looked_at(files)
    layers = plan.layers
    if shown is not None and prepared.layout is prepared.model:
        layers = layer_support.with_operators(plan.layers, shown)
    return replace(plan, layers=layers, files=files, warnings=(*plan.warnings, *_warnings(files)))


def _warnings(files: tuple[TrialConversion, ...]) -> Iterator[str]:
    for file in files:
        if file.refused:
            yield f"{file.name}: a file of the untrained model cannot be made: {file.refused.rstrip('.')}."
