"""tfmot's clustering wrapper and look-up, mended where they are silently wrong.

Each class here replaces one piece of tfmot 0.8.1, with what was measured on it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.compat.tfmot_clustering import (
    CentroidInitialization,
    CentroidsInitializerFactory,
    ClusteringAlgorithm,
    ClusterWeights,
)
from tfopt.backend.graph.channels import from_rows, rows
from tfopt.backend.types import Array, Nested
from tfopt.core.config.clustering import Initialization, Sharing

_INITIALIZATIONS: Mapping[Initialization, CentroidInitialization] = {
    "linear": CentroidInitialization.LINEAR,
    "random": CentroidInitialization.RANDOM,
    "density": CentroidInitialization.DENSITY_BASED,
    "kmeans++": CentroidInitialization.KMEANS_PLUS_PLUS,
}


def first_centroids(values: np.ndarray, clusters: int, initialization: Initialization, sparse: bool) -> np.ndarray:
    """Centroids of some weights that share values, by tfmot's initializers.

    Weights that have few distinct values already keep them: tfmot's kmeans++ crashes on those (`Expected
    num_to_sample <= points.rows()`, tensorflow/model-optimization #979), as in a channel that is nearly all zeros.

    Args:
        values: of a kernel or a channel: (weights,).
        clusters: how many.
        initialization: how they are chosen.
        sparse: zero is one of them, where there are zeros.

    Returns:
        (clusters,)
    """
    distinct = np.unique(values)
    if distinct.size <= clusters:
        return np.concatenate([distinct, np.repeat(distinct[-1:], clusters - distinct.size)])
    initializer = CentroidsInitializerFactory.get_centroid_initializer(_INITIALIZATIONS[initialization])
    made = initializer(tf.constant(values), clusters, preserve_sparsity=sparse and bool((values == 0).any()))
    return made.get_cluster_centroids().numpy()


class GroupLookup(ClusteringAlgorithm):
    """tfmot's nearest-centroid look-up, for all groups of weights at once.

    tfmot's look-up per channel is a Python loop that adds operators to the graph of a step for each channel (a kernel
    of 3x3x64x64: 3,243 operators and 2 s to trace, here 198 and 0.3 s, at the same time per call and with equal
    gradients), and it uses the last axis as channels of a transposed convolution, where it is the last but one.

    Args:
        centroids: (groups, clusters)
    """

    def __init__(self, centroids: tf.Variable) -> None:
        super().__init__(centroids)

    def get_pulling_indices(self, weight: tf.Tensor, centroids: tf.Tensor | None = None) -> tf.Tensor:
        """The nearest centroid of each weight: (groups, weights) -> (groups, weights)."""
        known = self.cluster_centroids if centroids is None else centroids
        order = tf.argsort(known)
        ordered = tf.gather(known, order, axis=1, batch_dims=1)
        between = (ordered[:, 1:] + ordered[:, :-1]) / 2
        return tf.gather(order, tf.searchsorted(between, weight), axis=1, batch_dims=1)

    def get_clustered_weight(self, pulling_indices: tf.Tensor, original_weight: tf.Tensor) -> tf.Tensor:
        """The centroids in place of the weights; gradients go to the centroids and, straight through, to the weights.

        Args:
            pulling_indices: (groups, weights)
            original_weight: (groups, weights)
        """
        shared = tf.gather(self.cluster_centroids, pulling_indices, axis=1, batch_dims=1)
        return self.add_gradient_to_original_weight(shared, original_weight)


@dataclass(frozen=True)
class SharedKernel:
    """One kernel whose weights share values.

    Args:
        variable: the free weights, which decide to which centroid each belongs; training moves them too.
        lookup: its centroids: (groups, clusters).
        not_zero: 0 where a centroid stays zero, else 1: (groups, clusters).
        mask: 0 where a weight stays zero, else 1: (groups, weights).
        grouped: groups are output channels; otherwise there is one.
        layer: that the kernel belongs to.
    """

    variable: tf.Variable
    lookup: GroupLookup
    not_zero: tf.Tensor
    mask: tf.Tensor
    grouped: bool
    layer: tf_keras.layers.Layer

    def values(self) -> tf.Tensor:
        """The weights as they are used: each the nearest centroid, in the shape of the kernel."""
        kernel = self.variable.read_value()
        free = (rows(kernel, self.layer) if self.grouped else tf.reshape(kernel, (1, -1))) * self.mask
        indices = self.lookup.get_pulling_indices(free, self.lookup.cluster_centroids * self.not_zero)
        kept = tf.gather(self.not_zero, indices, axis=1, batch_dims=1)
        shared = self.lookup.get_clustered_weight(indices, free) * kept * self.mask
        return from_rows(shared, kernel, self.layer) if self.grouped else tf.reshape(shared, kernel.shape)


class ClusterKernels(ClusterWeights):
    """tfmot's wrapper, with the shared values in the layer only while it is called.

    tfmot's wrapper drops `training` and masks, so that dropout inside an LSTM is off (with whole models wrapped, batch
    normalization is frozen too); it puts tensors in the place of the layer's variables, so that a model that was not
    stripped is converted to 5,462,696 bytes instead of 549,272, and stripping rebuilds all layers; and it accepts
    per-channel clusters for Conv2D only. Its int64 copy of the nearest centroids, which nothing reads, is left out:
    free weights and centroids are the whole state.

    Args:
        layer: a built layer, clusterable and not frozen.
        sharing: how its weights share values.
        initialization: how the first centroids are chosen.
        preserve_sparsity: zeros stay zero, and are one of the clusters.
    """

    def __init__(
        self,
        layer: tf_keras.layers.Layer,
        sharing: Sharing,
        initialization: Initialization,
        preserve_sparsity: bool,
    ) -> None:
        super().__init__(layer, sharing.clusters, _INITIALIZATIONS[initialization], preserve_sparsity)
        self._sharing, self._initialization = sharing, initialization
        self._inner_arguments = inspect.signature(layer.call).parameters
        self.supports_masking = layer.supports_masking

    def build(self, input_shape: Nested) -> None:
        tf_keras.layers.Wrapper.build(self, input_shape)
        self.shared = [self._share(name, variable) for name, variable in self.layer.get_clusterable_weights()]

    def _share(self, name: str, variable: tf.Variable) -> SharedKernel:
        per_channel = self._sharing.per_channel
        free = rows(variable.numpy(), self.layer) if per_channel else tf.reshape(variable.numpy(), (1, -1))
        sparse = self.preserve_sparsity
        clusters, initialization = self._sharing.clusters, self._initialization
        groups = [first_centroids(group, clusters, initialization, sparse) for group in free.numpy()]
        centroids = np.stack(groups).astype(variable.dtype.as_numpy_dtype)
        made = self.add_weight(
            f"cluster_centroids_{name}",
            shape=centroids.shape,
            dtype=variable.dtype,
            initializer=tf_keras.initializers.Constant(centroids),
        )

        def held(values: Array | tf.Tensor) -> tf.Tensor:
            return tf.cast(tf.not_equal(values, 0), free.dtype) if sparse else tf.ones_like(values)

        return SharedKernel(variable, GroupLookup(made), held(centroids), held(free), per_channel, self.layer)

    def call(
        self, inputs: Nested, *others: Nested, training: Nested = None, mask: Nested = None, **arguments: Nested
    ) -> Nested:
        for name, value in (("training", training), ("mask", mask)):
            if name in self._inner_arguments:
                arguments[name] = value
        with self._shared_values():
            return self.layer.call(inputs, *others, **arguments)

    def compute_mask(self, inputs: Nested, mask: Nested = None) -> Nested:
        return self.layer.compute_mask(inputs, mask)

    def project_weights(self) -> None:
        """Gives the layer the shared values for good."""
        for kernel in self.shared:
            kernel.variable.assign(kernel.values())

    @contextmanager
    def _shared_values(self) -> Iterator[None]:
        """Puts the shared values in the place of the kernels.

        Past Keras' own attribute tracking, which would move the kernels to the end of the layer's weights.
        """
        places = [(_place(self.layer, kernel.variable), kernel) for kernel in self.shared]
        for (owner, attribute), kernel in places:
            object.__setattr__(owner, attribute, tf.cast(kernel.values(), self.layer.compute_dtype))
        try:
            yield
        finally:
            for (owner, attribute), kernel in places:
                object.__setattr__(owner, attribute, kernel.variable)


def _place(layer: tf_keras.layers.Layer, variable: tf.Variable) -> tuple[tf.Module, str]:
    """The object inside a layer, and its attribute, that hold a variable: the cell of an LSTM, a projection of an
    attention."""
    return next(
        (module, attribute)
        for module in (layer, *layer.submodules)
        for attribute, value in vars(module).items()
        if value is variable
    )
