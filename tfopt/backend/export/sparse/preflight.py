"""Which layers of a model a sparse file would hold so that a kernel computes them wrongly; known before training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import tf_keras

from tfopt.backend.export.sparse.encoding import block_of
from tfopt.backend.graph.kernels import prunable_kernels
from tfopt.backend.graph.layers import layer_type, leaf_layers
from tfopt.backend.graph.saved_model_layer import reason_without_layers
from tfopt.backend.pruning.plan import skip_reasons
from tfopt.backend.types import Array
from tfopt.core.config.files.sparse_encoding import LEAST_ZEROS, Encoded, Fault, fault
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.layer_rules import last_match
from tfopt.core.config.pruning import Pattern, Pruning
from tfopt.core.config.quantization_modes import MODES
from tfopt.core.contracts.preflight import Preflight
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.wording import counted
from tfopt.errors import RecipeError

_COLUMNS = 256
"""Outputs of a layer that are looked at: all have the same pattern of zeros."""
_NAMED = 3


def sparse_preflight(
    model: tf_keras.Model, variants: Mapping[str, Variant], pruning: Pruning | None, *, trained: bool
) -> Preflight:
    """Sparse files whose zeros no kernel, or not every kernel, computes right.

    Args:
        model: the model that the recipe starts with.
        variants: the files by name.
        pruning: keys of the stage that prunes it; None where none does.
        trained: whether any stage changes its weights: else its own zeros are in the files.

    Returns:
        A problem per file; a warning for a file in which nothing will be sparse.
    """
    sparse = {name: variant for name, variant in variants.items() if variant.sparse}
    if not sparse or reason_without_layers(model) is not None:
        return Preflight()
    nonzero = _pruned(model, pruning) if pruning is not None else {} if trained else _own(model)
    problems: list[Mistake] = []
    warnings: list[str] = []
    for name, variant in sparse.items():
        found = dict(_encoded(model, variant, nonzero))
        wrong = {layer: (encoded, why) for layer, encoded in found.items() if (why := fault(encoded)) is not None}
        if wrong:
            problems.append(Mistake((name, "sparse"), _refusal(name, wrong), code="conflicting_keys"))
        elif not found:
            warnings.append(
                f"{name}: sparse: true changes nothing in Dense layers and convolutions: none will have the "
                f"{LEAST_ZEROS:.0%} zeros from which on weights are encoded"
                f"{'' if pruning is not None or not trained else ' (no stage prunes the model)'}."
            )
    return Preflight(problems=tuple(problems), warnings=tuple(warnings))


def _refusal(name: str, wrong: Mapping[str, tuple[Encoded, Fault]]) -> str:
    layer, (encoded, found) = next(iter(wrong.items()))
    others = [other for other in wrong if other != layer]
    more = f" The same holds for {', '.join(others[:_NAMED])}" if others else ""
    more += f" and {counted(len(others) - _NAMED, 'layer')} more" if len(others) > _NAMED else ""
    return (
        f"{name} cannot have sparse: true: layer {layer}, encoded as {encoded}: {found.effect}."
        f"{more + '.' if more else ''} {found.remedy}"
    )


def _encoded(model: tf_keras.Model, variant: Variant, nonzero: Mapping[str, Array]) -> Iterator[tuple[str, Encoded]]:
    """Per layer whose weights would be encoded, how."""
    for layer in leaf_layers(model):
        if layer.name not in nonzero:
            continue
        weights, activations = _dtypes(layer, variant)
        block = block_of(nonzero[layer.name], weights)
        if block is None:
            continue
        dense = isinstance(layer, tf_keras.layers.Dense)
        operator = "FULLY_CONNECTED" if dense else "CONV_2D"
        yield layer.name, Encoded(operator, weights, activations, block, int(layer.kernel.shape[0]) if dense else 0)


def _dtypes(layer: tf_keras.layers.Layer, variant: Variant) -> tuple[str, str]:
    """Dtypes of the weights and activations of a layer in a file."""
    rule = last_match(variant.layers or (), layer.name, layer_type(layer))
    mode = variant.mode if rule is None else MODES[rule.quantize]
    return mode.weights, mode.activations


def _own(model: tf_keras.Model) -> dict[str, Array]:
    """Which weights of each layer are not zero, as they are."""
    layers = [layer for layer in leaf_layers(model) if _encodable(layer) and prunable_kernels(layer)]
    return {layer.name: _transposed(prunable_kernels(layer)[0].numpy() != 0) for layer in layers}


def _pruned(model: tf_keras.Model, pruning: Pruning) -> dict[str, Array]:
    """The same after pruning, with zeros at random places of the pattern."""
    try:
        skipped = skip_reasons(model, pruning)
    except RecipeError:  # said by the stage itself
        return {}
    found: dict[str, Array] = {}
    for layer in leaf_layers(model):
        asked = pruning.for_layer(layer.name, layer_type(layer))
        if skipped.get(layer.name, "") is None and asked is not None and _encodable(layer):
            shape = tuple(int(size) for size in prunable_kernels(layer)[0].shape)
            found[layer.name] = _transposed(_example(shape, asked[1], asked[0].final_sparsity()))
    return found


def _encodable(layer: tf_keras.layers.Layer) -> bool:
    """Whether the converter encodes the weights of a layer: those that become a matrix product or a convolution."""
    kinds = (tf_keras.layers.Dense, tf_keras.layers.Conv1D, tf_keras.layers.Conv2D, tf_keras.layers.SeparableConv2D)
    return isinstance(layer, kinds) and not isinstance(layer, tf_keras.layers.Conv2DTranspose)


def _transposed(nonzero: Array) -> Array:
    """A kernel as the file stores it: outputs first."""
    return np.moveaxis(nonzero, -1, 0)


def _example(shape: Sequence[int], pattern: Pattern, sparsity: float) -> Array:
    """Which weights of a kernel are not zero, for one that is pruned in this pattern."""
    random = np.random.default_rng(0)
    inputs, outputs = shape[0], min(shape[-1], _COLUMNS)
    if len(shape) != 2:
        return random.random((*shape[:-1], outputs)) >= sparsity
    if pattern.sparsity_m_by_n is not None:
        zeros, of = pattern.sparsity_m_by_n
        ranks = random.random((-(-inputs // of), of, outputs)).argsort(axis=1)
        return (ranks >= zeros).reshape(-1, outputs)[:inputs]
    height, width = pattern.block_size
    blocks = -(-inputs // height), -(-outputs // width)
    kept = random.permutation(blocks[0] * blocks[1]) >= round(sparsity * blocks[0] * blocks[1])
    whole = kept.reshape(blocks).repeat(height, axis=0).repeat(width, axis=1)
    return whole[:inputs, :outputs]
