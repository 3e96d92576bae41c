"""What can be done with each layer of a model, and which files it becomes: the part of `tfopt doctor` about a model."""

from __future__ import annotations

from collections.abc import Sequence

from tfopt.core.contracts.trial import TrialConversion, looked_at
from tfopt.core.records.layer_support import LayerPreflight
from tfopt.core.records.shrink_groups import GroupPreflight


def examine(
    model: str, input_shape: Sequence[int], num_outputs: int, *, allow_unsafe: bool, trial: bool
) -> tuple[tuple[LayerPreflight, ...], tuple[TrialConversion, ...], tuple[GroupPreflight, ...]]:
    """Builds a model and looks at its layers, at the files that it becomes, and at what can be removed from it.

    Args:
        model: a name from `tfopt ls models`, `keras.applications.NAME`, `package.module:function`, or a file.
        input_shape: of models that are built for their data, without the batch axis.
        num_outputs: of models that are built for their data.
        allow_unsafe: runs Python code that a model file holds, and imports the modules that it names.
        trial: converts the model to see which operators it becomes.

    Raises:
        StageError: the model cannot be loaded.
        ExportError: the converter's process cannot write its files.
    """
    from tfopt.backend import layer_support
    from tfopt.backend.export.trial import LOOKED_AT, trial_conversions
    from tfopt.backend.models import build
    from tfopt.backend.shrinking.overview import overview

    built = build.build_alone(model, tuple(input_shape), num_outputs, allow_unsafe=allow_unsafe)
    layers, groups = layer_support.layers(built), overview(built)
    files = trial_conversions(built, LOOKED_AT) if trial else ()
    shown = looked_at(files)
    return (layers if shown is None else layer_support.with_operators(layers, shown)), files, groups
