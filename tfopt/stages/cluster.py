"""Weight clustering with fine-tuning: tfmot's `ClusterWeights`, so that a file with few distinct values zips well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tfopt.core.config.clustering import Clustering, ClusterRule, Initialization, NumClusters
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.preflight import Preflight, Workload
from tfopt.core.contracts.stage import Stage, StageContext, TrainingStage
from tfopt.core.language.mistakes import Mistake


class Cluster(TrainingStage):
    """Lets the weights of each kernel share a few values, and trains on while they do.

    The wrappers are gone from the result. A clustered file is not smaller, but its zip archive is: an app store ships
    that. Distinct values are counted after the stage and again in every file.
    """

    adds: ClassVar[frozenset[Trait]] = frozenset({"trained", "clustered"})
    keeps: ClassVar[frozenset[Trait]] = frozenset({"sparse"})

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

    def clustering(self) -> Clustering:
        """The parts that are about clustering, not about training."""
        return Clustering(
            clusters=self.clusters,
            initialization=self.initialization,
            per_channel=self.per_channel,
            layers=self.layers,
        )

    def kept(self) -> frozenset[Trait]:
        return self.keeps if self.preserve_sparsity else frozenset()

    def problems_after(self, earlier: Sequence[Stage]) -> Sequence[Mistake]:
        if not self.preserve_sparsity or not any("sparse" in stage.adds for stage in earlier):
            return ()
        counts = [((), self.clusters), *((("layers", index), r.clusters) for index, r in enumerate(self.layers))]
        taken = "is 2, but the model is sparse and zero is one of the clusters: write 3 or more"
        return [Mistake((*path, "clusters"), taken, code="out_of_range") for path, count in counts if count == 2]

    def preflight(self, model: Any, workload: Workload) -> Preflight:
        from tfopt.backend.stages import cluster as clustering

        return clustering.look_ahead(model, self.clustering())

    def apply(self, model: Any, context: StageContext) -> Any:
        from tfopt.backend.stages import cluster as clustering

        preserve_sparsity = self.preserve_sparsity and "sparse" in context.traits
        return clustering.cluster(model, self, self.clustering(), context, preserve_sparsity=preserve_sparsity)
