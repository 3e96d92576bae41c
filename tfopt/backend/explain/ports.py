"""Which array of the data goes into which input of a file that was made elsewhere, and whether it fits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tfopt.backend.types import Array, ExampleArray, Shape
from tfopt.core.records.report import AuditRecord, PortRecord
from tfopt.errors import ExportError


def inputs_of(file: str, audit: AuditRecord, arrays: Mapping[str, ExampleArray]) -> dict[str, ExampleArray]:
    """Arrays by the names of a file's inputs, in the order of the arrays.

    Args:
        file: its name.
        audit: what is in it.
        arrays: examples, (examples, ...), by name; the name of a single one does not count.

    Raises:
        ExportError: the number, names or shapes do not fit.
    """
    ports = audit.inputs
    if len(ports) != len(arrays):
        raise ExportError(
            f"{file} has {len(ports)} inputs ({', '.join(port.name for port in ports)}), but the data have "
            f"{len(arrays)} ({', '.join(name or 'one array' for name in arrays)}).",
            "Give the data of the model that the file was made from.",
            code="incompatible_shapes",
        )
    if len(ports) == 1:
        pairs = [(ports[0], next(iter(arrays.values())))]
    else:
        pairs = [(port, _array_for(file, port, ports, arrays)) for port in ports]
    for port, values in pairs:
        if not _fits(port, values):
            raise ExportError(
                f"The input {port.name!r} of {file} takes examples of shape {_text((port.shape or [])[1:])}, but those "
                f"of the data have {_text(values.shape[1:])}.",
                "Give a recipe with the data of this file; data.args or a source of your own can resize them.",
                code="incompatible_shapes",
            )
    order = [id(values) for values in arrays.values()]
    return {port.name: values for port, values in sorted(pairs, key=lambda pair: order.index(id(pair[1])))}


def check_one_output(name: str, outputs: Sequence[str]) -> None:
    """Only one output can be judged by a recipe's metrics.

    Raises:
        ExportError: there are several.
    """
    if len(outputs) != 1:
        raise ExportError(
            f"{name} has {len(outputs)} outputs: {', '.join(outputs)}.",
            "compile.loss of this recipe is that of one output: write the loss of each by its name.",
            code="incompatible_model",
        )


def outputs_of(
    file: str, outputs: Mapping[str, Array], names: Sequence[str], shapes: Mapping[str, Shape]
) -> dict[str, Array]:
    """Outputs by the names of a recipe: those of the same name, else those of a shape that only one has.

    Args:
        file: its name.
        outputs: what it returned, (examples, ...), in any order.
        names: of the outputs in the recipe.
        shapes: of one example of each, where they are known.

    Raises:
        ExportError: an output is not found.
    """
    found = {name: outputs[name] for name in names if name in outputs}
    for name in names:
        if name in found:
            continue
        rivals = [other for other in names if shapes.get(other) == shapes.get(name)]
        fitting = [key for key, values in outputs.items() if key not in names and values.shape[1:] == shapes.get(name)]
        if len(fitting) != 1 or len(rivals) != 1:
            raise ExportError(
                f"{file} has no output {name!r}; it has {', '.join(outputs)}.",
                "Give the file its outputs by the names that compile.loss has.",
                code="unknown_output",
            )
        found[name] = outputs[fitting[0]]
    return {name: found[name] for name in names}


def same_shape(file: str, found: Array, against: str, expected: Array) -> Array:
    """The outputs of a file in the shape of those of the model it is compared with.

    Raises:
        ExportError: they have different numbers of values.
    """
    if found.size != expected.size:
        raise ExportError(
            f"{file} returns outputs of shape {_text(found.shape[1:])} for an example, but {against} returns "
            f"{_text(expected.shape[1:])}.",
            "Compare a file with the model that it was made from.",
            code="incompatible_shapes",
        )
    return found.reshape(expected.shape)


def _array_for(
    file: str, port: PortRecord, ports: Sequence[PortRecord], arrays: Mapping[str, ExampleArray]
) -> ExampleArray:
    """By name, with or without what TensorFlow puts around it; else by a shape that only one of them has."""
    bare = re.sub(r"^serving_default_|:\d+$", "", port.name)
    for name in (port.name, bare):
        if name in arrays:
            return arrays[name]
    fitting = [values for values in arrays.values() if _fits(port, values)]
    rivals = [other for other in ports if other.shape == port.shape]
    if len(fitting) == 1 and len(rivals) == 1:
        return fitting[0]
    raise ExportError(
        f"It is not known which array of the data goes into the input {port.name!r} of {file}: the data have "
        f"{', '.join(arrays)}.",
        "Name the arrays of the data as the inputs of the file.",
        code="incompatible_shapes",
    )


def _fits(port: PortRecord, values: ExampleArray) -> bool:
    if port.shape is None:
        return True
    sizes = port.shape[1:]
    open_or_equal = all(size in (-1, length) for size, length in zip(sizes, values.shape[1:], strict=False))
    return len(port.shape) == values.ndim and open_or_equal


def _text(shape: Sequence[int]) -> str:
    return "×".join("any" if size < 0 else str(size) for size in shape) or "one number"
