"""What each layer makes of its masks, where they are tensors: the table to extend for a new layer.

A layer without a row that accepts masks gets them as Keras passes them along, and stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.bridge.zeroing import ZeroingMultiHeadAttention, ZeroingSoftmax
from tfopt.backend.quantization.canonical.mask_layers import (
    AllMasks,
    AttentionMask,
    CausalMask,
    JoinedMasks,
    KeptWeights,
    MaskedAdditiveAttention,
    MaskedAttention,
    MaskedBidirectional,
    MaskedMean,
    MaskedScores,
    NotEqual,
    TakeMask,
    WithMask,
    WithoutMask,
    ZeroPadded,
)
from tfopt.backend.quantization.canonical.masks.calls import Mask, MaskedCall, Result
from tfopt.backend.quantization.canonical.replay import Kwargs


@dataclass(frozen=True)
class MaskRule:
    """How the calls of some layers are made with masks as tensors.

    Args:
        applies: whether it can make this call.
        make: makes it.
        title: in a few words, for the plan; empty if no user needs to see it.
    """

    applies: Callable[[MaskedCall], bool]
    make: Callable[[MaskedCall], Result]
    title: str = ""


def rule_of(call: MaskedCall) -> MaskRule:
    """The rule for a call."""
    layer = call.layer
    for rule in RULES.get(type(layer), ()):
        if rule.applies(call):
            return rule
    if _passes_on(layer):
        return MaskRule(_always, lambda call: (call.plain(), call.masks[0]))
    if layer._expects_mask_arg or _computes_mask(layer):
        return MaskRule(_always, _as_keras_does)
    return MaskRule(_always, lambda call: (call.plain(), None))


def makes_masks(layer: layers.Layer) -> bool:
    """Whether a mask begins at a layer."""
    return type(layer) is layers.Masking or (type(layer) is layers.Embedding and layer.mask_zero)


def is_causal(layer: layers.Layer, kwargs: Kwargs) -> bool:
    """Whether a call of a layer makes a mask of its own, in which no target sees later positions."""
    attends = type(layer) in (layers.Attention, layers.AdditiveAttention, *HEADS)
    return attends and bool(kwargs.get("use_causal_mask") or getattr(layer, "causal", False))


def _always(call: MaskedCall) -> bool:
    return True


def _computes_mask(layer: layers.Layer) -> bool:
    return type(layer).compute_mask is not layers.Layer.compute_mask


def _passes_on(layer: layers.Layer) -> bool:
    """Whether a layer looks at no mask, and hands that of its input to its output."""
    ignores = not layer._expects_mask_arg or type(layer) in _IGNORE_AT_INFERENCE
    return bool(layer.supports_masking) and ignores and not _computes_mask(layer)


_IGNORE_AT_INFERENCE = (layers.BatchNormalization,)


def _as_keras_does(call: MaskedCall) -> Result:
    """The layer itself, with masks passed along behind its inputs and taken from behind its output."""
    masks = iter(enumerate(call.masks))

    def attached(tensor: tf.Tensor) -> tf.Tensor:
        number, mask = next(masks)
        return tensor if mask is None else call.made(f"with_mask{number}", WithMask)([tensor, mask])

    first = tf.nest.map_structure(attached, call.args[0])
    outputs = call.copy({})(first, *call.args[1:], **call.kwargs)
    flat = tf.nest.flatten(outputs)
    taken: list[Mask] = []
    for number, output in enumerate(flat):
        if getattr(output, "_keras_mask", None) is None:
            taken.append(None)
        else:
            taken.append(call.made(f"take_mask{number}", TakeMask)(output))
            flat[number] = call.made(f"values{number}", WithoutMask)(output)
    return tf.nest.pack_sequence_as(outputs, flat), taken


def _embedding(call: MaskedCall) -> Result:
    mask = call.made("mask", NotEqual, value=0)(call.args[0])
    return call.copy({"mask_zero": False})(*call.args, **call.kwargs), mask


def _masking(call: MaskedCall) -> Result:
    (values,) = call.inputs
    value = float(call.layer.mask_value)
    mask = call.made("mask", NotEqual, value=value, any_feature=True)(values)
    if value == 0:  # padding is 0 already; a layer of its own, so that the mask is not the input's
        return call.made("", layers.Activation, activation="linear")(values), mask
    return call.made("", ZeroPadded)([values, mask]), mask


def _recurrent(call: MaskedCall) -> Result:
    mask = call.masks[0]
    kwargs = call.kwargs if mask is None else {**call.kwargs, "mask": mask}
    outputs = call.copy(_unrolled(call.layer.get_config()))(*call.args, **kwargs)
    if not call.layer.return_sequences or mask is None:
        return outputs, None
    sequence, *states = tf.nest.flatten(outputs)
    sequence = call.made("sequence", WithoutMask)(sequence)
    return [sequence, *states] if states else sequence, mask


def _bidirectional(call: MaskedCall) -> Result:
    config, mask = call.layer.get_config(), call.masks[0]
    keys = [str(key) for key in ("layer", "backward_layer") if key in config]
    unrolled = {
        key: {**config[key], "config": config[key]["config"] | _unrolled(config[key]["config"])} for key in keys
    }
    outputs = call.copy(unrolled, MaskedBidirectional)(*call.args, mask=mask, **call.kwargs)
    if not call.layer.forward_layer.return_sequences:
        return outputs, None
    sequences = 2 if call.layer.merge_mode is None else 1
    flat = tf.nest.flatten(outputs)
    flat[:sequences] = [
        call.made(f"zeroed{number}", ZeroPadded)([values, mask]) for number, values in enumerate(flat[:sequences])
    ]
    return tf.nest.pack_sequence_as(outputs, flat), [mask] * sequences


def _unrolled(config: Mapping[str, object]) -> dict[str, object]:
    """Changes to the configuration of a recurrent layer that make it one operator after the other.

    A product for each gate (implementation 1) has ranges of its own. One product for all is split, and the converter
    left the SPLIT of the first step float in about half of its runs (TF 2.21).
    """
    return {"unroll": True} | ({"implementation": 1} if "implementation" in config else {})


def _can_be_unrolled(call: MaskedCall) -> bool:
    inner = [getattr(call.layer, f"{name}_layer", call.layer) for name in ("forward", "backward")]
    steps = call.inputs[0].shape[1]
    return (
        steps is not None
        and steps <= MOST_STEPS
        and all(type(layer) in RECURRENT for layer in inner)
        # Unrolled, tf_keras sets the wrong steps to 0 (2.21).
        and not (type(call.layer) in RECURRENT and call.layer.zero_output_for_mask and call.layer.go_backwards)
    )


def _one_mask(call: MaskedCall) -> bool:
    return len(call.inputs) == 1 and call.masks[0] is not None


def _pooling(call: MaskedCall) -> Result:
    pooled = call.made("", MaskedMean, keepdims=call.layer.keepdims)
    return pooled([call.inputs[0], call.masks[0]]), None


def _is_over_last_axis(call: MaskedCall) -> bool:
    axis, rank = call.layer.axis, call.inputs[0].shape.rank
    axes = list(axis) if isinstance(axis, list | tuple) else [axis]
    mask = call.masks[0]
    return len(call.inputs) == 1 and mask is not None and mask.shape.rank <= rank and axes in ([-1], [rank - 1])


def _softmax(call: MaskedCall) -> Result:
    scores = call.made("masked", MaskedScores)([call.inputs[0], call.masks[0]])
    weights = call.copy({"axis": -1}, layers.Softmax)(scores)
    if type(call.layer) is ZeroingSoftmax:
        weights = call.made("kept", KeptWeights)([weights, call.masks[0]])
    return weights, call.masks[0]


def _attention(kind: type[layers.Layer]) -> Callable[[MaskedCall], Result]:
    def make(call: MaskedCall) -> Result:
        tensors = dict(zip(("query", "value", "key"), call.inputs, strict=False))
        masks = dict(zip(("query_mask", "value_mask"), call.masks, strict=False))
        given = tensors | {role: mask for role, mask in masks.items() if mask is not None}
        kwargs = {name: value for name, value in call.kwargs.items() if name != "use_causal_mask"}
        changes = {"roles": tuple(given), "hides_later": is_causal(call.layer, call.kwargs)}
        return call.copy(changes, kind)(list(given.values()), **kwargs), call.masks[0]

    return make


def _multi_head(call: MaskedCall) -> Result:
    names = ("query", "value", "key", "attention_mask")
    given = {**dict(zip(names, call.args, strict=False)), **call.kwargs}
    query, value = given["query"], given["value"]
    parts = [(name, call.mask_of(given[name])) for name in names[:3] if given.get(name) is not None]
    parts.append(("scores", given.pop("attention_mask", None)))
    if given.pop("use_causal_mask", False):
        parts.append(("scores", call.made("causal", CausalMask)([query, value])))
    roles = [role for role, mask in parts if mask is not None]
    if roles:
        layer = call.made("_".join([*roles, "mask"]), AttentionMask, roles=roles)
        given["attention_mask"] = layer([mask for _, mask in parts if mask is not None])
    return call.copy({})(**given), call.mask_of(query)


def _merge(call: MaskedCall) -> Result:
    masks = [mask for mask in call.masks if mask is not None]
    if len(masks) < 2:
        return call.plain(), masks[0] if masks else None
    return call.plain(), call.made("mask", AllMasks)(masks)


def _concatenation(call: MaskedCall) -> Result:
    axis, rank = call.layer.axis, call.inputs[0].shape.rank
    if axis in (-1, rank - 1):
        return _merge(call)
    return call.plain(), call.made("mask", JoinedMasks, axis=axis % rank)(list(call.masks))


def _can_be_concatenated(call: MaskedCall) -> bool:
    axis, rank = call.layer.axis, call.inputs[0].shape.rank
    last = axis in (-1, rank - 1)
    ranks = [rank - 1 if mask is None else mask.shape.rank for mask in call.masks]
    return all(one == rank - 1 for one in ranks) and (last or None not in call.masks)


def _time_distributed(call: MaskedCall) -> Result:
    return call.plain(), call.masks[0]


def _inner_ignores_masks(call: MaskedCall) -> bool:
    inner = call.layer.layer
    mask = call.masks[0]
    return mask is None or (mask.shape.rank == 2 and not inner._expects_mask_arg and not _computes_mask(inner))


HEADS = (layers.MultiHeadAttention, ZeroingMultiHeadAttention)
"""Attention with several heads, also as Keras 3 computes it with dropout."""

RECURRENT = (layers.LSTM, layers.GRU, layers.SimpleRNN)
"""Recurrent layers that become one operator after the other where they have a mask."""

MOST_STEPS = 64
"""Longer sequences stay loops: each step that is unrolled adds operators (an LSTM of 8 units: 4 kB per step)."""

_IN_THE_GRAPH = "its mask computed in the graph"
STEP_BY_STEP = "masked, so computed step by step (unrolled)"

RULES: Mapping[type, tuple[MaskRule, ...]] = {
    layers.Embedding: (MaskRule(lambda call: makes_masks(call.layer), _embedding, _IN_THE_GRAPH),),
    layers.Masking: (MaskRule(_always, _masking, _IN_THE_GRAPH),),
    **dict.fromkeys(RECURRENT, (MaskRule(_can_be_unrolled, _recurrent, STEP_BY_STEP),)),
    layers.Bidirectional: (MaskRule(_can_be_unrolled, _bidirectional, STEP_BY_STEP),),
    layers.GlobalAveragePooling1D: (
        MaskRule(
            lambda call: _one_mask(call) and call.layer.data_format == "channels_last",
            _pooling,
            "mean over the steps that its mask keeps",
        ),
    ),
    **dict.fromkeys((layers.Softmax, ZeroingSoftmax), (MaskRule(_is_over_last_axis, _softmax, _IN_THE_GRAPH),)),
    layers.Attention: (MaskRule(_always, _attention(MaskedAttention), _IN_THE_GRAPH),),
    layers.AdditiveAttention: (MaskRule(_always, _attention(MaskedAdditiveAttention), _IN_THE_GRAPH),),
    **dict.fromkeys(HEADS, (MaskRule(_always, _multi_head, _IN_THE_GRAPH),)),
    **dict.fromkeys(
        (layers.Add, layers.Average, layers.Maximum, layers.Minimum, layers.Multiply, layers.Subtract),
        (MaskRule(_always, _merge),),
    ),
    layers.Concatenate: (MaskRule(_can_be_concatenated, _concatenation),),
    layers.TimeDistributed: (MaskRule(_inner_ignores_masks, _time_distributed),),
}  # fmt: skip
"""By the exact type of a layer, the rules to try, in order."""
