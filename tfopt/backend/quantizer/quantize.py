"""A float32 `.tflite` file to one of a mode, with litert-quantizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from tfopt.backend.audit.tflite import layer_of
from tfopt.backend.calibration.ranges import clipped_ranges
from tfopt.backend.graph.layer_names import LayerNames
from tfopt.backend.quantizer.choices import Choice, choices
from tfopt.backend.quantizer.edits import (
    free_rotations,
    look_tables_up,
    name_uniquely,
    read_shapes_of_integers,
    reshape_axes,
)
from tfopt.backend.quantizer.engine import Engine, writes
from tfopt.backend.quantizer.layer_modes import LayerModes
from tfopt.backend.quantizer.lstm_weights import round_lstms
from tfopt.backend.quantizer.operators import operators
from tfopt.backend.quantizer.ranges import Activation, activations
from tfopt.backend.tflite import flatbuffer
from tfopt.backend.types import Array
from tfopt.core.config.files.algorithms import ALGORITHMS
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.files.weight_kernels import LSTM
from tfopt.core.config.quantization_modes import MODES, Mode

Examples = Callable[[], Iterator[Mapping[str, Array]]]
"""The calibration examples, from the first: inputs by name in the signature."""


_LEVELS = {"int8": 2**8, "int16": 2**16}
"""Values of the integers that activations are rounded to."""


def quantize(content: bytes, variant: Variant, layers: LayerModes, examples: Examples) -> bytes:
    """Quantizes a file.

    Args:
        content: a float32 file.
        variant: the keys of the file to make.
        layers: modes of layers by the rules of the recipe.
        examples: needed where the variant is calibrated.
    """
    file = flatbuffer.parse(content)
    name_uniquely(file)
    names = LayerNames(layers.names, layers.aliases)
    small = {layer for layer, mode in layers.modes.items() if MODES[mode].in_integer_files}
    look_tables_up(
        file, lambda graph, operator: not variant.mode.integer_only or layer_of(file, graph, operator, names) in small
    )
    if variant.mode.integer_only:
        reshape_axes(file)
    content = flatbuffer.serialize(file)
    chosen = list(choices(operators(file, names), variant, layers, writes))
    engine = Engine(content)
    told = [choice for choice in chosen if choice.operator.name != LSTM]
    engine.tell(told, _integer_ports(variant))
    if not any(choice.mode for choice in told):
        return flatbuffer.serialize(_with_lstms(file, chosen))
    multiplied = {choice.operator.reads for choice in chosen if ALGORITHMS[choice.algorithm].calibrated}
    seen = activations(file, examples(), multiplied) if variant.mode.integer_only or multiplied else {}
    made = flatbuffer.parse(engine.quantize(_with_range(seen, file, variant, examples)))
    free_rotations(made)
    read_shapes_of_integers(made)
    return flatbuffer.serialize(_with_lstms(made, chosen))


def _with_lstms(file: flatbuffer.File, chosen: Iterable[Choice]) -> flatbuffer.File:
    round_lstms(file, chosen)
    return file


def _with_range(
    seen: Mapping[str, Activation], file: flatbuffer.File, variant: Variant, examples: Examples
) -> Mapping[str, Activation]:
    """The activations with the ranges that the recipe asks for."""
    if variant.calibrating.range == "min_max":
        return seen
    names = [flatbuffer.text(tensor.name) for tensor in file.model.subgraphs[0].tensors]
    ends = {at: (seen[name].low, seen[name].high) for at, name in enumerate(names) if name in seen}
    levels = _LEVELS[variant.mode.activations]
    found = clipped_ranges(file, ends, examples(), variant.calibrating, levels)
    return {**seen, **{names[at]: replace(seen[names[at]], low=low, high=high) for at, (low, high) in found.items()}}


def _integer_ports(variant: Variant) -> dict[str, Mode]:
    ports = {"INPUT": variant.input_type, "OUTPUT": variant.output_type}
    return {port: variant.mode for port, dtype in ports.items() if dtype == variant.mode.activations != "float32"}
