"""Which output of a model is trained on which targets with which loss: names brought together before training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import overload

from tfopt.backend.data.arrays.reading import in_memory
from tfopt.backend.data.arrays.views import largest
from tfopt.backend.data.per_example.weights import IN_ORDER
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.types import Array, Arrays, ExampleArray, ExampleArrays
from tfopt.core.config.training.compile import Compile
from tfopt.core.language.suggest import closest
from tfopt.core.language.wording import counted
from tfopt.errors import StageError


def for_model(compile: Compile, data: Data, names: Sequence[str], model: str) -> tuple[Compile, Data, list[str]]:
    """The `compile` block with all outputs of a model in its order, and the data with the targets of those judged.

    Args:
        compile: the recipe's.
        data: targets by output name, or in the order of the outputs.
        names: of the outputs of the model.
        model: its name, for errors.

    Returns:
        Both, and warnings: outputs that are not judged, targets that nothing is compared with.

    Raises:
        StageError: the recipe names an output that the model lacks or none although there are several, or the targets
            of an output are missing.
    """
    targets = data.train.targets
    if not compile.outputs:
        _check_single(targets, names, model)
        return compile, data, []
    if len(compile.outputs) > 1 and targets is not data.train.inputs and not isinstance(targets, dict):
        raise StageError(
            f"compile.loss names the outputs {', '.join(compile.outputs)}, but the data {data.source} have the targets "
            "of one.",
            "A source returns targets as a dict by output name, or as a tuple in the order of the model's outputs.",
            code="data_missing",
        )
    missing = [output for output in compile.outputs if output not in names]
    if missing:
        raise StageError(
            f"compile.loss names the output {missing[0]!r}, which the model {model!r} does not have."
            f"{closest(missing[0], names)}",
            f"Its outputs are {', '.join(names)}.",
            code="unknown_output",
        )
    if targets is data.train.inputs:
        raise StageError(
            "data.targets: inputs is for a model with one output, but compile.loss names outputs.",
            "Give the targets of each output: a source returns them as a dict by output name.",
            code="conflicting_keys",
        )
    judged = [name for name in names if name in compile.outputs]
    given = _named(targets, names, judged)
    absent = [output for output in compile.outputs if output not in given]
    if absent:
        raise StageError(
            f"The data {data.source} have no targets for {', '.join(absent)}; they have those of {', '.join(given)}."
            f"{closest(absent[0], given)}",
            "A source returns targets as a dict by output name, or as a tuple in the order of the model's outputs "
            f"({', '.join(names)}).",
            code="data_missing",
        )
    warnings = [
        f"The output {name} has no loss: it is in the files, but it is neither trained nor judged."
        for name in names
        if name not in compile.outputs
    ]
    warnings += [
        f"The data have targets for {name}, which compile.loss does not name: they are not used."
        for name in given
        if name not in compile.outputs
    ]
    splits = [_with_targets(split, names, judged) for split in (data.train, data.validation, data.test)]
    called = dict(zip(targets, given, strict=True)) if isinstance(targets, dict) else {}
    classes = {called.get(name, name): labels for name, labels in data.classes_of_outputs.items()}
    used = replace(data, train=splits[0], validation=splits[1], test=splits[2], classes_of_outputs=classes)
    return compile.of_model(names), used, warnings


@overload
def of_output(targets: Arrays, output: str) -> Array: ...


@overload
def of_output(targets: ExampleArrays, output: str) -> ExampleArray: ...


def of_output(targets: ExampleArrays, output: str) -> ExampleArray:
    """The targets of one output.

    Args:
        targets: one array, or several by output name.
        output: its name; empty where there is one.
    """
    return targets[output] if isinstance(targets, dict) else targets


def classes_of(data: Data, output: str) -> int | None:
    """Number of classes of an output; None where its targets are no labels.

    Args:
        data: targets by output name, or one array.
        output: its name; empty where there is one.
    """
    if not isinstance(data.train.targets, dict):
        return data.num_classes
    splits = [split.targets for split in (data.train, data.validation, data.test)]
    arrays = [each[output] for each in splits if isinstance(each, dict)]
    if arrays[0].dtype.kind not in "iu" or not arrays[0].nbytes:
        return None
    return max(map(largest, arrays)) + 1


def _check_single(targets: ExampleArrays, names: Sequence[str], model: str) -> None:
    """Raises StageError where a loss for one output meets several outputs, or several targets."""
    given = list(targets) if isinstance(targets, dict) else []
    several = len(given) > 1
    if len(names) == 1 and not several:
        return
    if len(names) == 1:
        raise StageError(
            f"The data have the targets {', '.join(given)}, but the model {model!r} has one output, {names[0]}.",
            f"Name the one that counts: compile.loss: {{{names[0]}: ...}} with targets of that name, or use a model "
            "with an output for each.",
            code="incompatible_model",
        )
    losses = ", ".join(f"{name}: {_likely(targets, name)}" for name in names)
    raise StageError(
        f"The model {model!r} has {counted(len(names), 'output')} ({', '.join(names)}); compile.loss is that of one.",
        f"Write the loss of each by its name, such as loss: {{{losses}}}; an output without a loss is not judged.",
        code="incompatible_model",
    )


def _likely(targets: ExampleArrays, name: str) -> str:
    array = targets.get(name) if isinstance(targets, dict) else targets
    if array is None:
        return "..."
    return "sparse_categorical_crossentropy" if array.dtype.kind in "iu" else "mse"


def _named(targets: ExampleArrays, names: Sequence[str], judged: Sequence[str]) -> Mapping[str, ExampleArray]:
    """Targets by the names of outputs: those in order get the names of all outputs, or of those that are judged."""
    if not isinstance(targets, dict):
        return {judged[0]: targets} if len(judged) == 1 else {"one array": targets}
    if list(targets) != [IN_ORDER.format(number) for number in range(1, len(targets) + 1)]:
        return targets
    order = names if len(names) == len(targets) else judged
    return dict(zip(order, targets.values(), strict=True)) if len(order) == len(targets) else targets


def _with_targets(split: Split, names: Sequence[str], judged: Sequence[str]) -> Split:
    given = _named(split.targets, names, judged)
    targets = {output: given[output] for output in judged}
    if split.weights is None:
        return replace(split, targets=targets)
    of_outputs = _named(split.weights, names, judged)
    weights = {output: in_memory(array) for output, array in of_outputs.items() if output in judged}
    return replace(split, targets=targets, weights=weights)
