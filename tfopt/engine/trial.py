"""A plan, and the files that the converter makes of the untrained model: what a run would find out after training."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from tfopt.core.claims.target import target_warnings
from tfopt.core.config.quantization import Quantization
from tfopt.core.contracts.stage import float_policy
from tfopt.core.contracts.trial import TrialConversion, TrialWorkload, looked_at
from tfopt.core.recipe.plan import Plan
from tfopt.core.targets.table import TARGETS
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
    return replace(plan, layers=layers, files=files, warnings=(*plan.warnings, *_warnings(plan, files)))


def _warnings(plan: Plan, files: tuple[TrialConversion, ...]) -> Iterator[str]:
    """Files that cannot be made, and float layers of integer files that no rule about their type foretold."""
    bare = {layer.name for layer in plan.layers if layer.type == "SavedModelLayer"}
    foretold = " ".join(warning for warning in plan.warnings if "float" in warning)
    policy = float_policy(plan.recipe.stages)
    for file in files:
        yield from (f"{file.name}: {name} stays float: {reason}." for name, reason in file.float_reasons.items())
        known = file.float_reasons
        floats = [name for name in file.float_layers if name not in {*bare, *known} and not _named(name, foretold)]
        if file.floats_in_integers and floats and policy != "allow":
            yield (
                f"{file.name}: by a trial conversion, {', '.join(floats)} will compute in float: the claim of the "
                "file to compute in integers will not hold."
            )
        if plan.recipe.target is not None and not file.refused:
            yield from target_warnings(
                file.name, file.quantize, file.operators, file.layers, TARGETS[plan.recipe.target]
            )
        if file.refused:
            yield f"{file.name}: a file of the untrained model cannot be made: {file.refused.rstrip('.')}."


def _named(name: str, text: str) -> bool:
    """Whether a layer is named in a text; `conv` is not in `conv_1` or `block/conv`."""
    return re.search(rf"(?<![\w/]){re.escape(name)}(?![\w/])", text) is not None
