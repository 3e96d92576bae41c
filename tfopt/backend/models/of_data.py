"""Arguments of a model function that are known from the data: shapes, sample rate, vocabulary."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import partial

from tfopt.backend.data.splits import Data, OutputSizes
from tfopt.backend.data.vocabulary import tokenizer_of, vocabulary_size
from tfopt.backend.types import Config
from tfopt.core.language.wording import counted
from tfopt.errors import StageError

_ZOO = "tfopt.backend.models.zoo."


def with_arguments_of(data: Data, function: Callable[..., object], args: Config) -> dict[str, object]:
    """The arguments of a recipe, with those of the data that the function asks for and the recipe does not say.

    Args:
        data: the examples.
        function: makes the model.
        args: as the recipe says.

    Raises:
        StageError: the recipe has a different sample rate than the data, or fewer tokens for a model of the zoo.
    """
    parameters = inspect.signature(function).parameters
    known: dict[str, Callable[[], object]] = {
        "input_shape": lambda: _input_shape(data),
        "num_outputs": lambda: _num_outputs(data, function),
    }
    if data.anchors is not None:
        known["anchors"] = lambda: data.anchors
    for name, of_data in (("vocabulary_size", vocabulary_size), ("tokenizer", tokenizer_of)):
        # A default of the user's own function counts where the ids come from no tokenizer.
        own = name in parameters and parameters[name].default not in (None, inspect.Parameter.empty)
        if data.text is not None or not own:
            known[name] = partial(of_data, data)
    sample_rate = data.raw.sample_rate if data.raw is not None else None
    if sample_rate is not None:
        known["sample_rate"] = lambda: sample_rate
        if args.get("sample_rate", sample_rate) != sample_rate and "sample_rate" in parameters:
            raise StageError(
                f"model.args.sample_rate is {args['sample_rate']}, but the data {data.source} has {sample_rate} "
                "samples per second.",
                "Leave it out: it comes from the data.",
                code="conflicting_keys",
            )
    rows = args.get("vocabulary_size")
    if isinstance(rows, int) and function.__module__.startswith(_ZOO) and "vocabulary_size" in parameters:
        _check_rows(rows, data)
    sizes = args.get("num_outputs")
    if isinstance(sizes, dict):
        args = {**args, "num_outputs": OutputSizes(sizes, data.sizes_of_outputs.quantities)}
    return {**{name: value() for name, value in known.items() if name in parameters and name not in args}, **args}


def _check_rows(rows: int, data: Data) -> None:
    """Whether there are as many tokens as the data have: a tied table would grow to the number of outputs, unasked.

    Raises:
        StageError: there are fewer.
    """
    count = vocabulary_size(data)
    if count is None or rows >= count:
        return
    why = f"an id is {count - 1}" if data.text is None else f"the tokenizer has {counted(count, 'token')}"
    raise StageError(
        f"model.args.vocabulary_size is {rows}, but {why}.",
        f"Leave it out: it comes from the data. Or give the model {count} rows.",
        code="incompatible_shapes",
    )


def _num_outputs(data: Data, function: Callable[..., object]) -> object:
    """A number, or of several targets the sizes by output name (`OutputSizes`).

    Raises:
        StageError: a model of the zoo has one output only.
    """
    sizes = data.sizes_of_outputs
    if len(sizes) < 2:
        return data.num_outputs
    takes = str(inspect.signature(function).parameters["num_outputs"].annotation)
    if function.__module__.startswith(_ZOO) and "OutputSizes" not in takes:
        raise StageError(
            f"The model {function.__module__.rpartition('.')[2]} makes no output for each target; the data "
            f"{data.source} have the targets {', '.join(sizes)}.",
            "Choose a model that has an output for each, such as small_cnn or mlp, or write one of your own.",
            code="incompatible_model",
        )
    strange = [name for name in sizes if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name)]
    if function.__module__.startswith(_ZOO) and strange:
        raise StageError(
            f"A model of the zoo names its outputs after the targets; {data.source} calls one {strange[0]!r}.",
            "Return the targets as a dict by output name, of letters, digits and _.",
            code="invalid_name",
        )
    return sizes


def _input_shape(data: Data) -> object:
    """The shape of an example; a dict of them by name for inputs by name, a list for inputs in order."""
    shape = data.input_shape
    return list(shape.values()) if data.positional and isinstance(shape, dict) else shape
