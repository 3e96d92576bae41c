"""What a model is made of: its layers with their zeros, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.graph import cluster_kernels
from tfopt.backend.graph.channels import most_unique, rows
from tfopt.catalog.guard import guarded
from tfopt.core.config.clustering import Sharing
from tfopt.core.records.report import LayerRecord

_KERNELS = ("kernel", "embeddings")
"""How the names of kernel weights end in tf_keras: kernel, depthwise_kernel, pointwise_kernel, recurrent_kernel, ..."""


def layer_records(
    model: tf_keras.Model,
    skipped: Mapping[str, str] | None = None,
    sharing: Mapping[str, Sharing] | None = None,
) -> list[LayerRecord]:
    """Every layer with weights, in the model's order, those of nested models included.

    Args:
        model: free of wrappers.
        skipped: why a stage left a layer alone, by layer name.
        sharing: how the weights of clustered layers share values, by layer name.
    """
    reasons, clustered = skipped or {}, sharing or {}
    records = []
    for layer in weighted_layers(model):
        kernels = [kernel.numpy().ravel() for kernel in kernel_weights(layer)]
        values = np.concatenate(kernels) if kernels else np.zeros(0, np.float32)
        records.append(
            LayerRecord(
                name=layer.name,
                type=type(layer).__name__,
                parameters=int(sum(np.prod(weight.shape, dtype=int) for weight in layer.weights)),
                sparsity=float(np.mean(values == 0)) if values.size else 0.0,
                unique=int(np.unique(values).size),
                skipped=reasons.get(layer.name),
                unique_per_channel=_unique_per_channel(layer),
                **_clusters(clustered.get(layer.name)),
            )
        )
    return records


def _unique_per_channel(layer: tf_keras.layers.Layer) -> int | None:
    return max((most_unique(rows(kernel, layer).numpy()) for kernel in cluster_kernels.kernels(layer)), default=None)


def _clusters(sharing: Sharing | None) -> dict[str, int | bool]:
    return {} if sharing is None else {"clusters": sharing.clusters, "clusters_per_channel": sharing.per_channel}


def weighted_layers(model: tf_keras.Model) -> Iterator[tf_keras.layers.Layer]:
    """Layers with weights; a nested model is replaced by its layers, a shared layer comes once."""
    seen: set[int] = set()

    def walk(parent: tf_keras.Model) -> Iterator[tf_keras.layers.Layer]:
        for layer in parent.layers:
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            if isinstance(layer, tf_keras.Model):
                yield from walk(layer)
            elif layer.weights:
                yield layer

    return walk(model)


def kernel_weights(layer: tf_keras.layers.Layer) -> list[tf.Variable]:
    """The weights that pruning and clustering are about: kernels and embedding tables, not biases and statistics.

    A layer class from outside Keras may say which they are (`get_prunable_weights`, as for tfmot); without that, they
    are its weights of two axes and more. The class is asked, not the layer: tfmot leaves a function of that name on
    each Keras layer it pruned, which knows the pointwise kernel of a SeparableConv2D only.
    """
    if hasattr(type(layer), "get_prunable_weights"):
        return list(layer.get_prunable_weights())
    foreign = type(layer).__module__.split(".")[0] not in ("keras", "tf_keras")
    return [
        weight
        for weight in layer.weights
        if weight.name.split("/")[-1].split(":")[0].endswith(_KERNELS) or (foreign and len(weight.shape) >= 2)
    ]


def model_fingerprint(model: tf_keras.Model) -> str:
    """SHA-256 of architecture and weights.

    Raises:
        StageError: a layer has no usable get_config.
    """
    config = guarded(
        lambda: json.dumps(tf_keras.saving.serialize_keras_object(model.get_config()), sort_keys=True, default=repr),
        f"Reading the configuration of model {model.name!r}",
    )
    digest = hashlib.sha256(f"tfopt model 1\n{config}\n".encode())
    for weight in model.get_weights():
        digest.update(f"{weight.dtype.str} {weight.shape}\n".encode())
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()
