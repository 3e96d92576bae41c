"""Weight clustering with fine-tuning: tfmot's `ClusterWeights`, so that a file with few distinct values zips well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from tfopt.core.config.clustering import Clustering
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.stage import Stage, StageContext, TrainingStage
from tfopt.core.contracts.types import Model
from tfopt.core.language.mistakes import Mistake

if TYPE_CHECKING:
    from tfopt.core.contracts.preflight import Preflight, Workload
    from tfopt.core.contracts.result import StageResult


class Cluster(Clustering, TrainingStage):
    """Lets the weights of each kernel share a few values, and trains on while they do.

    The wrappers are gone from the result. A clustered file is not smaller, but its zip archive is: an app store ships
    that. Distinct values are counted after the stage and again in every file.
    """

    adds: ClassVar[frozenset[Trait]] = frozenset({"trained", "clustered"})
    keeps: ClassVar[frozenset[Trait]] = frozenset({"sparse"})

    def kept(self) -> frozenset[Trait]:
        return self.keeps if self.preserve_sparsity else frozenset()

    def problems_after(self, earlier: Sequence[Stage]) -> Sequence[Mistake]:
        if not self.preserve_sparsity or not any("sparse" in stage.adds for stage in earlier):
            return ()
        counts = [((), self.clusters), *((("layers", index), r.clusters) for index, r in enumerate(self.layers))]
        taken = "is 2, but the model is sparse and zero is one of the clusters: write 3 or more"
        return [Mistake((*path, "clusters"), taken, code="out_of_range") for path, count in counts if count == 2]

    def preflight(self, model: Model, workload: Workload) -> Preflight:
        from tfopt.backend.stages import cluster as clustering

        return clustering.preflight(model, self)

    def apply(self, model: Model, context: StageContext) -> StageResult:
        from tfopt.backend.stages import cluster as clustering

        preserve_sparsity = self.preserve_sparsity and "sparse" in context.traits
        return clustering.cluster(model, self, self, context, preserve_sparsity=preserve_sparsity)
