"""Layers that an int8 file keeps in float because a rule of the recipe says so: found, and left out of quantization."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TypedDict

import tf_keras
from ai_edge_litert import schema_py_generated as schema

from tfopt.backend.audit.tflite import indices, layer_of, touches_float
from tfopt.backend.export.integers.between_floats import between_floats
from tfopt.backend.graph.connections import Graph
from tfopt.backend.graph.layer_names import LayerNames
from tfopt.backend.graph.layer_rules import spelled_out
from tfopt.backend.graph.layers import layer_paths, layer_type, leaf_layers
from tfopt.backend.quantization.float_fallback import is_between_floats
from tfopt.backend.quantization.quantized import Quantized, without_simulation
from tfopt.backend.quantization.traced_floats import traced_floats
from tfopt.backend.tflite import flatbuffer
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.layer_rules import last_match

REASON = "a rule of its `layers` says quantize: none"
_CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")


class PlainFloatRequest(TypedDict):
    """The same in values that JSON has."""

    layers: list[str]
    names: list[str]
    aliases: dict[str, str]
    known: list[str]


@dataclass(frozen=True)
class FloatRequest:
    """The layers that a file keeps in float, and what identifies their operators.

    Args:
        layers: Keras names.
        names: Keras names of all layers of the float model.
        aliases: layers of the float model by names of the layers that compute them in the converted one.
        known: layers that have operators without an integer kernel: what is between those computes in float, too.
    """

    layers: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    known: tuple[str, ...] = ()

    def plain(self) -> PlainFloatRequest:
        """As JSON values."""
        return {
            "layers": [*self.layers],
            "names": [*self.names],
            "aliases": {**self.aliases},
            "known": [*self.known],
        }

    @classmethod
    def of(cls, plain: PlainFloatRequest) -> FloatRequest:
        """The reverse of `plain`."""
        return cls(tuple(plain["layers"]), tuple(plain["names"]), plain["aliases"], tuple(plain["known"]))


NOTHING = FloatRequest()
"""No layer."""


def layers_by_rule(variant: Variant, model: tf_keras.Model) -> tuple[str, ...]:
    """Names of the layers that the rules of a variant keep in float; those of nested models too."""
    if not variant.layers:
        return ()
    rules = spelled_out(variant.layers, model, lambda layer: None)
    matched = {layer.name: last_match(rules, layer.name, layer_type(layer)) for layer in leaf_layers(model)}
    return tuple(name for name, rule in matched.items() if rule is not None and rule.keeps_float)


def unmatched_rules(variant: Variant, model: tf_keras.Model) -> list[int]:
    """Positions of the rules of a variant that match no layer."""
    rules = spelled_out(variant.layers or (), model, lambda layer: None)
    kinds = {layer.name: layer_type(layer) for layer in leaf_layers(model)}
    return [
        index
        for index, rule in enumerate(rules)
        if not any(rule.applies_to(name, kind) for name, kind in kinds.items())
    ]


def float_request(variant: Variant, model: tf_keras.Model | Quantized) -> FloatRequest:
    """What a variant keeps in float of a model: the layers of its rules, and what is between float operators."""
    float_model = model if isinstance(model, tf_keras.Model) else model.float_model
    layers = layers_by_rule(variant, float_model)
    by_converter = variant.mode.integer_only and variant.engine == "converter"
    known = _known(float_model) if by_converter else ()
    if not layers and not known:
        return FloatRequest()
    names = tuple(dict.fromkeys(layer.name for _, layer in layer_paths(float_model)))
    return FloatRequest(layers, names, {} if isinstance(model, tf_keras.Model) else model.original_names, known)


def _known(model: tf_keras.Model) -> tuple[str, ...]:
    """The layers in which operators can be between float ones."""
    if not model.inputs or not (traced := traced_floats(model)):
        return ()
    graph = Graph(model)
    return (*traced, *(name for name in graph.layers if is_between_floats(graph, name, traced)))


def simulated_elsewhere(quantized: Quantized, layers: Collection[str]) -> Quantized:
    """A quantized model in which some layers are not simulated: the converter could not take their rounding out."""
    return replace(quantized, model=without_simulation(quantized, layers)) if layers else quantized


def keep_float(file: flatbuffer.File, request: FloatRequest, float_outputs: bool) -> list[str]:
    """Removes the ranges between operators that stay float, so that nothing is rounded there.

    A range at the border to the integers stays: it is the scale in which they take the value.

    Args:
        file: calibrated, before it is quantized.
        request: what stays float.
        float_outputs: whether the outputs of the file are float.

    Returns:
        Names of the tensors that these operators make, by which the converter leaves them in float.
    """
    graph, names = file.model.subgraphs[0], LayerNames(request.names, request.aliases)
    kept = [operator for operator in graph.operators if _is_kept(file, graph, operator, names, request.layers)]
    between = between_floats(file) if request.known else []
    kept += [one for one in between if one not in kept and layer_of(file, graph, one, names) in request.known]
    read_elsewhere = {
        index for operator in graph.operators if operator not in kept for index in indices(operator.inputs)
    }
    if not float_outputs:
        read_elsewhere |= {*indices(graph.outputs)}
    made = [index for operator in kept for index in indices(operator.outputs)]
    for index in made:
        if index not in read_elsewhere and graph.tensors[index].quantization is not None:
            graph.tensors[index].quantization = None
    return [flatbuffer.text(graph.tensors[index].name) for index in made]


def _is_kept(
    file: flatbuffer.File,
    graph: schema.SubGraphT,
    operator: schema.OperatorT,
    names: LayerNames,
    layers: Collection[str],
) -> bool:
    if file.operator_name(operator) in _CONVERSIONS or not touches_float(graph, operator):
        return False
    return layer_of(file, graph, operator, names) in layers
