"""Keys of the cluster stage, and how they resolve for each layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from tfopt.core.config.layer_rules import LayerRule, last_match
from tfopt.core.language.block import Block

NumClusters = Annotated[int, Field(ge=2)]
Initialization = Literal["linear", "random", "density", "kmeans++"]


class ClusterRule(LayerRule):
    """Rule for the layers it matches; keys that are absent keep the stage's own value."""

    skip: bool = False
    """Leave the weights of these layers free."""
    clusters: NumClusters | None = None
    """Another number of clusters for these layers."""
    per_channel: bool | None = None
    """Clusters of their own for each output channel, or not, for these layers."""

    @model_validator(mode="after")
    def _skip_alone(self) -> ClusterRule:
        if self.skip and (self.clusters is not None or self.per_channel is not None):
            raise ValueError("says skip: true and also how to cluster; remove one of the two")
        return self


@dataclass(frozen=True)
class Sharing:
    """How the weights of one layer share values.

    Args:
        clusters: most distinct values.
        per_channel: in each output channel of a kernel; in a whole kernel otherwise.
    """

    clusters: int
    per_channel: bool


class Clustering(Block):
    """Keys of the cluster stage, without those of training."""

    clusters: NumClusters
    """Most distinct values of a kernel, or of each of its output channels."""
    initialization: Initialization = "kmeans++"
    """How the first centroids are chosen. `linear`: evenly between the smallest and the largest weight; `random`:
    uniformly at random between them; `density`: where the weights lie dense; `kmeans++`: weights drawn far apart."""
    per_channel: bool = False
    """Clusters of their own for each output channel of a convolution, whose int8 file has a scale for each; other
    layers always share values in the whole kernel."""
    preserve_sparsity: bool = True
    """Zeros of a pruned model stay zero, and zero is one of the clusters. With `false` they become a shared value near
    zero, and the model counts as dense."""
    layers: tuple[ClusterRule, ...] = ()
    """Ordered rules by layer name and/or type; the last that matches wins."""

    def for_layer(self, name: str, kind: str) -> Sharing | None:
        """How a layer's weights share values, or None where a rule says skip."""
        rule = last_match(self.layers, name, kind)
        if rule is None:
            return Sharing(self.clusters, self.per_channel)
        if rule.skip:
            return None
        return Sharing(
            self.clusters if rule.clusters is None else rule.clusters,
            self.per_channel if rule.per_channel is None else rule.per_channel,
        )
