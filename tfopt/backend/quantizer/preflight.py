"""What no kernel computes, and what a mode makes of a model, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import tf_keras

from tfopt.backend.graph.layer_rules import spelled_out
from tfopt.backend.graph.layers import layer_type, leaf_layers
from tfopt.backend.quantizer.layer_weights import Weights, weights_of
from tfopt.backend.quantizer.rules import layer_modes
from tfopt.core.config.files.algorithms import ALGORITHMS
from tfopt.core.config.files.file_rules import modes_of_rules
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.files.weight_kernels import reason_no_kernel, stored_as
from tfopt.core.config.quantization_modes import MODES, Mode
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.preflight import Preflight
from tfopt.core.language.mistakes import Mistake

_NAMED = 4


def quantizer_preflight(model: tf_keras.Model, variants: Mapping[str, Variant], traits: frozenset[Trait]) -> Preflight:
    """Problems and warnings about the files that litert-quantizer makes with float activations.

    Args:
        model: the model that the recipe starts with.
        variants: the files by name.
        traits: what the exported model will be.
    """
    known = {layer.name: weights_of(layer) for layer in leaf_layers(model)}
    found = Preflight()
    for name, variant in variants.items():
        problems = [*_rules(name, variant, model, known)]
        warnings: tuple[str, ...] = ()
        if variant.engine == "quantizer" and not variant.mode.integer_only:
            problems += [*_whole_file(name, variant, model, known), *_traits(name, variant, traits)]
            warnings = () if problems else tuple(_stored_otherwise(name, variant, model, known))
        found = found.joined(Preflight(problems=tuple(problems), warnings=warnings))
    return found


Known = Mapping[str, tuple[Weights, ...] | None]
"""Weights by name of a layer."""


def _reasons(mode: Mode, weights: Sequence[Weights]) -> list[str]:
    """Why none of the weights of a layer can be of a mode; nothing where one can."""
    reasons = [reason_no_kernel(mode, each.operator, each.row) for each in weights]
    return [] if None in reasons else [reason for reason in reasons if reason is not None]


def _rules(name: str, variant: Variant, model: tf_keras.Model, known: Known) -> Iterator[Mistake]:
    """Rules that ask for weights that no kernel reads."""
    rules = spelled_out(variant.layers or (), model, lambda layer: None)
    kinds = {layer.name: layer_type(layer) for layer in leaf_layers(model)}
    for index, rule in enumerate(rules):
        matched = [layer for layer, kind in kinds.items() if rule.applies_to(layer, kind)]
        if rule.keeps_float or not matched or rule.mode.integer_only:
            continue
        path = (name, "layers", index, "quantize")
        weights = {layer: each for layer in matched if (each := known[layer]) != ()}
        if not weights:
            message = f"{name}: {rule.quantize} is for weights, and {_listed(matched)} has none. Remove the rule."
            yield Mistake(path, message, code="no_kernel")
            continue
        lacking = {layer: _reasons(rule.mode, each) for layer, each in weights.items() if each is not None}
        if len(lacking) == len(weights) and all(lacking.values()):
            reasons = "; ".join(
                dict.fromkeys(f"{layer}: {', '.join(why)}" for layer, why in [*lacking.items()][:_NAMED])
            )
            message = (
                f"{name}: no layer of this rule can be {rule.quantize}: {reasons}.{_instead(variant, lacking, known)}"
            )
            yield Mistake(path, message, code="no_kernel")


def _why(lacking: Mapping[str, Sequence[str]]) -> str:
    first = [f"{layer}: {', '.join(reasons)}" for layer, reasons in [*lacking.items()][:_NAMED]]
    more = f"; and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
    return "; ".join(first) + more


def _instead(variant: Variant, layers: Mapping[str, object], known: Known) -> str:
    """The modes that such layers can have."""
    weights = [each for layer in layers for each in known[layer] or ()]
    names = [
        name
        for name in modes_of_rules(variant.quantize)
        if MODES[name].integer_only
        or MODES[name].weights == "float32"
        or all(reason_no_kernel(MODES[name], each.operator, each.row) is None for each in weights)
    ]
    return f" Possible are {', '.join(names)}."


def _whole_file(name: str, variant: Variant, model: tf_keras.Model, known: Known) -> Iterator[Mistake]:
    """A mode that no layer of the model has a kernel for."""
    own = layer_modes(variant, model).modes
    weights = {layer: each for layer, each in known.items() if each != () and layer not in own}
    if variant.mode.weights == "float32" or any(each is None for each in weights.values()):
        return
    if weights and all(_reasons(variant.mode, each or ()) for each in weights.values()):
        lacking = {layer: _reasons(variant.mode, each or ()) for layer, each in weights.items()}
        message = (
            f"{name}: no layer of the model can have the weights of quantize: {variant.quantize}: {_why(lacking)}."
            f"{_instead(variant, lacking, known)}"
        )
        yield Mistake((name, "quantize"), message, code="no_kernel")


def _traits(name: str, variant: Variant, traits: frozenset[Trait]) -> Iterator[Mistake]:
    """What would undo the work of an earlier stage, where the recipe does not accept that."""
    accepted = {each.claim for each in variant.accept or ()}
    algorithm = ALGORITHMS[variant.algorithm] if variant.algorithm is not None else None
    undone = {"sparse": ("sparsity_kept", "sparsity_lost"), "clustered": ("clusters_kept", "clusters_lost")}
    for trait, (claim, code) in undone.items():
        if trait not in traits or claim in accepted:
            continue
        if algorithm is not None and algorithm.moves_zeros is not None:
            message = (
                f"{name}: algorithm: {variant.algorithm} would undo an earlier stage: {algorithm.moves_zeros}, so "
                f"{'zeros' if trait == 'sparse' else 'shared values'} would not stay. Use min_max or octav."
            )
            yield Mistake((name, "algorithm"), message, code=code)
    modes: list[tuple[tuple[str | int, ...], Mode]] = [(("quantize",), variant.mode)]
    modes += [(("layers", index, "quantize"), rule.mode) for index, rule in enumerate(variant.layers or ())]
    blocks = [(path, mode.block) for path, mode in modes if mode.block]
    if blocks and "clustered" in traits and "clusters_kept" not in accepted:
        message = (
            f"{name}: weights in blocks of {blocks[0][1]} with a scale each would not keep the shared values of the "
            "clustered model: each block rounds them to values of its own. Use int4, whose channels have one scale."
        )
        yield Mistake((name, *blocks[0][0]), message, code="clusters_lost")


def _stored_otherwise(name: str, variant: Variant, model: tf_keras.Model, known: Known) -> Iterator[str]:
    """Layers whose weights are not those of their mode."""
    own = layer_modes(variant, model).modes
    groups: dict[tuple[str, str], list[str]] = {}
    for layer, weights in known.items():
        mode = MODES[own.get(layer, variant.quantize)]
        for each in weights or ():
            reason = reason_no_kernel(mode, each.operator, each.row) if mode.weights != "float32" else None
            if reason is not None:
                stored = stored_as(mode, each.operator, each.row)
                groups.setdefault((stored.weights if stored else "float32", reason), []).append(layer)
    for (dtype, reason), layers in groups.items():
        yield f"{name}: {_listed(layers)} {'gets' if len(layers) == 1 else 'get'} {dtype} weights: {reason}."


def _listed(layers: Sequence[str]) -> str:
    more = f" and {len(layers) - _NAMED} more" if len(layers) > _NAMED else ""
    return ", ".join(layers[:_NAMED]) + more
