"""What is known about a bundle before training: labels, normalization, number of examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import tf_keras

from tfopt.backend.bundle.labels import fitting, labels_of_outputs
from tfopt.backend.data.vocabulary import tokenizer_of
from tfopt.backend.export.raw_inputs import normalization_mistake
from tfopt.backend.graph.outputs import usable
from tfopt.core.config.files.bundle_keys import BundleKeys
from tfopt.core.contracts.export import ExportWorkload
from tfopt.core.contracts.preflight import Preflight
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.wording import counted
from tfopt.errors import ExportError

KIND = "bundle"
"""Name and format of the record, and the key of the recipe."""

_MEASURES = ("bytes", "gzip_bytes")


def bundle_preflight(model: tf_keras.Model, bundle: BundleKeys, workload: ExportWorkload) -> Preflight:
    """Problems and warnings of a bundle.

    Args:
        model: the model that the recipe starts with.
        bundle: its keys.
        workload: data and folder of the recipe.
    """
    problems = [*_label_problems(model, bundle, workload), *_budget_problems(workload)]
    if bundle.normalization is not None:
        wrong = normalization_mistake(model, bundle.normalization, workload.data, "export.bundle.normalization")
        if wrong is not None:
            problems.append(Mistake(("normalization",), wrong, code="conflicting_keys"))
    return Preflight(problems=tuple(problems), warnings=tuple(_warnings(model, bundle, workload)))


def output_sizes(model: tf_keras.Model, names: Sequence[str] = ()) -> dict[str, int | None]:
    """Length of the last axis of each output, by its name in files; empty where a model does not know its outputs.

    Args:
        model: the model.
        names: of its outputs; its own where there are none.
    """
    outputs = model.outputs or ()
    return {
        name: output.shape[-1] if output.shape.rank else None
        for name, output in zip(usable(names or model.output_names or ()), outputs, strict=True)
    }


def _label_problems(model: tf_keras.Model, bundle: BundleKeys, workload: ExportWorkload) -> Iterator[Mistake]:
    if bundle.labels is None:
        return
    try:
        labels_of_outputs(bundle.labels, output_sizes(model, workload.outputs), workload.folder)
    except ExportError as error:
        yield Mistake(("labels",), f"export.bundle.labels: {error}", code=error.code)


def _budget_problems(workload: ExportWorkload) -> Iterator[Mistake]:
    for budget in workload.budgets:
        if budget.export == KIND and budget.measure not in _MEASURES:
            message = f"budgets.{budget.name}: a bundle has {' and '.join(_MEASURES)} only; name one of its files."
            yield Mistake((), message, code="unknown_name")


def _warnings(model: tf_keras.Model, bundle: BundleKeys, workload: ExportWorkload) -> Iterator[str]:
    data = workload.data
    if data is None:
        return
    if bundle.examples > len(data.test):
        yield (
            f"bundle: {counted(bundle.examples, 'golden example')} are asked for, the test split has "
            f"{len(data.test)}; all of them are used."
        )
    if bundle.labels is not None or data.num_classes is None:
        return
    if tokenizer_of(data) is not None and np.asarray(data.train.targets).ndim > 1:
        return  # tokens are named by the tokenizer
    if data.classes_of_outputs:
        return
    if data.label_names is None:
        yield "bundle: the data source has no names of classes; export.bundle.labels gives them to the app."
        return
    try:
        fitting(data.label_names, output_sizes(model, workload.outputs))
    except ExportError as error:
        yield f"bundle: no labels will be inside, name them in export.bundle.labels. Those of the data source: {error}"
