"""What a model is made of: its layers with their zeros, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import numpy as np
import tf_keras

from tfopt.backend.graph.channels import most_unique, rows
from tfopt.backend.graph.kernels import clusterable_kernels, counted_kernels
from tfopt.backend.graph.layers import layer_type, leaf_layers, own_types
from tfopt.backend.graph.serialized_names import with_first_names
from tfopt.catalog.guard import guarded
from tfopt.core.config.clustering import Sharing
from tfopt.core.records.report import LayerRecord


def layer_records(
    model: tf_keras.Model,
    skipped: Mapping[str, str] | None = None,
    sharing: Mapping[str, Sharing] | None = None,
) -> list[LayerRecord]:
    """Every layer with weights, in the model's order, those of nested models included.

    `sparsity` and `unique` of a layer are over all its kernels (`counted_kernels`): a SeparableConv2D counts its
    depthwise kernel, which is never pruned. `measures.sparsity` of a stage is over prunable kernels only
    (`tfopt.backend.graph.sparsity`). `unique_per_channel` is over the kernels that tfmot clusters.

    Args:
        model: free of wrappers.
        skipped: why a stage left a layer alone, by layer name.
        sharing: how the weights of clustered layers share values, by layer name.
    """
    reasons, clustered = skipped or {}, sharing or {}
    own = own_types(model)
    records = []
    for layer in leaf_layers(model, weighted=True):
        kernels = [kernel.numpy().ravel() for kernel in counted_kernels(layer)]
        values = np.concatenate(kernels) if kernels else np.zeros(0, np.float32)
        records.append(
            LayerRecord(
                name=layer.name,
                type=layer_type(layer),
                own_type=own.get(layer.name),
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
    return max((most_unique(rows(kernel, layer).numpy()) for kernel in clusterable_kernels(layer)), default=None)


def _clusters(sharing: Sharing | None) -> dict[str, int | bool]:
    return {} if sharing is None else {"clusters": sharing.clusters, "clusters_per_channel": sharing.per_channel}


def model_fingerprint(model: tf_keras.Model) -> str:
    """SHA-256 of architecture and weights.

    Raises:
        StageError: a layer has no usable get_config.
    """
    serialized = guarded(
        lambda: tf_keras.saving.serialize_keras_object(model.get_config()),
        f"Reading the configuration of model {model.name!r}",
    )
    config = json.dumps(with_first_names(serialized), sort_keys=True, default=repr)
    digest = hashlib.sha256(f"tfopt model 1\n{config}\n".encode())
    for weight in model.get_weights():
        digest.update(f"{weight.dtype.str} {weight.shape}\n".encode())
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()
