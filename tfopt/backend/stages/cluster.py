"""The cluster stage: wrap, train while weights share values, take the wrappers off, prove what came out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.clustering.kernels import ClusterKernels
from tfopt.backend.clustering.plan import layer_sharing, preflight, skipped
from tfopt.backend.clustering.zeros import zeros_held
from tfopt.backend.graph.channels import most_unique, rows
from tfopt.backend.graph.kernels import clusterable_kernels, remove_registration
from tfopt.backend.graph.layers import leaf_layers
from tfopt.backend.graph.sparsity import share_of_zeros
from tfopt.backend.stages import fit as training
from tfopt.backend.training.hooks import SparsityHook
from tfopt.backend.training.wrapping import wrapped
from tfopt.core.config.clustering import Clustering, Sharing
from tfopt.core.contracts.result import StageResult
from tfopt.core.contracts.stage import StageContext, TrainingStage
from tfopt.errors import StageError

__all__ = ["cluster", "preflight"]


def cluster(
    model: tf_keras.Model,
    stage: TrainingStage,
    clustering: Clustering,
    context: StageContext,
    *,
    preserve_sparsity: bool = False,
) -> StageResult:
    """Weight clustering with fine-tuning (Han, Mao and Dally 2016, arXiv:1510.00149), by tfmot.

    Args:
        model: a built functional or Sequential model; its kernels get few distinct values.
        stage: epochs, learning rate, early stopping.
        clustering: number of clusters, first centroids, rules.
        context: data, compile, seed, and where progress and checkpoints go.
        preserve_sparsity: zeros stay zero, and are one of the clusters.

    Returns:
        The same model, free of wrappers; reasons for layers left alone, and how the weights of the others share values.

    Raises:
        RecipeError: rules do not fit the model.
        StageError: training failed, or a layer has more distinct values than it may have, or fewer zeros.
    """
    plans = layer_sharing(model, clustering)
    chosen = [layer for layer in leaf_layers(model) if layer.name in plans]
    zeros = {layer.name: _zeros(layer) for layer in chosen}
    reasons = skipped(model, clustering)
    tf_keras.utils.set_random_seed(context.seed)

    def wrap(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        plan = plans.get(layer.name)
        if plan is None:
            return layer
        return ClusterKernels(layer, plan, clustering.initialization, preserve_sparsity)

    try:
        # A layer that is left alone, by a rule or as too small, may be sparse as well.
        alone = [layer for layer in leaf_layers(model) if layer.name not in plans] if preserve_sparsity else []
        free = [weight for layer in alone for weight in layer.trainable_weights]
        with zeros_held(free), wrapped(model, wrap, ClusterKernels) as (sharing_model, wrappers):
            hooks = [SparsityHook(lambda: _sparsity(wrappers))] if preserve_sparsity else []
            trained = training.fit(sharing_model, stage, context, hooks=hooks)
            for wrapper in wrappers:
                wrapper.project_weights()
    finally:
        for layer in chosen:
            remove_registration(layer)
    prove(chosen, plans, zeros if preserve_sparsity else {})
    clusters = {name: {"clusters": plan.clusters, "per_channel": plan.per_channel} for name, plan in plans.items()}
    return StageResult(model, reasons, plans, {"clusters": clusters, **trained})


def prove(
    layers: list[tf_keras.layers.Layer], plans: Mapping[str, Sharing], zeros: Mapping[str, list[np.ndarray]]
) -> None:
    """Counts the distinct values of every clustered kernel, and looks for zeros that are zero no more.

    Args:
        layers: free of wrappers.
        plans: how the weights of each share values, by its name.
        zeros: where each kernel of a layer was zero before; empty where that does not matter.

    Raises:
        StageError: a kernel has more distinct values than clusters, or lost a zero.
    """
    wrong: list[str] = []
    for layer in layers:
        plan = plans[layer.name]
        for kernel in clusterable_kernels(layer):
            values = rows(kernel, layer) if plan.per_channel else tf.reshape(kernel, (1, -1))
            if (found := most_unique(values.numpy())) > plan.clusters:
                wrong.append(f"{layer.name}: {found} distinct values, expected at most {plan.clusters}")
        were_zero = zip(clusterable_kernels(layer), zeros[layer.name], strict=True) if layer.name in zeros else ()
        if lost := sum(int(np.count_nonzero(kernel.numpy()[where])) for kernel, where in were_zero):
            wrong.append(f"{layer.name}: {lost} zeros were lost")
    if wrong:
        raise StageError(f"clustering failed verification: {'; '.join(wrong)}.", code="unmet_promise")


def _zeros(layer: tf_keras.layers.Layer) -> list[np.ndarray]:
    return [kernel.numpy() == 0 for kernel in clusterable_kernels(layer)]


def _sparsity(wrappers: list[ClusterKernels]) -> float:
    """Share of zeros now, over all clustered kernels."""
    return share_of_zeros([kernel.values().numpy() for wrapper in wrappers for kernel in wrapper.shared])
