"""What every pruning criterion promises. Subclass `CriterionContract` to check yours:

class TestSaliency(CriterionContract):
    criterion = "saliency"

One that ranks units only (`of_weights = False`) says `kind = "shrink"` too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

from tfopt.testing.stages import StageContract

if TYPE_CHECKING:
    from tfopt.backend.pruning.criterion import Criterion


class CriterionContract(StageContract):
    """One criterion: its scores, and a stage that ranks by them, with all that a stage promises.

    Class attributes:
        criterion: its name in a recipe.
        kind: the stage that it is tried in: `prune`, or `shrink` for one that ranks units only.
    """

    criterion: ClassVar[str]
    kind: ClassVar[str] = "prune"

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "criterion" in vars(cls):
            schedule = {"kind": "polynomial", "final": "50%", "every": "1 steps", "end": "60%"}
            if cls.kind == "prune":
                cls.config = {"epochs": 2, "schedule": schedule, "criterion": cls.criterion}
            else:
                cls.config = {"epochs": 2, "to": {"parameters": "60%"}, "divisor": 1, "criterion": cls.criterion}
                cls.before = ({"train": {"epochs": 1}},)
                cls.model = {"source": "small_cnn", "args": {"filters": [4, 6]}}

    @pytest.fixture
    def kernels(self) -> list[Any]:
        """Kernels of a small net as the criterion receives them, some weights zero already."""
        from tfopt.backend.graph.kernels import prunable_kernels
        from tfopt.backend.graph.layers import leaf_layers
        from tfopt.backend.models.zoo.mlp import build

        model = build(input_shape=(8, 8, 1), num_outputs=10, units=[6])
        kernels = [kernel for layer in leaf_layers(model) for kernel in prunable_kernels(layer)]
        random = np.random.default_rng(0)
        for kernel in kernels:
            values = random.normal(size=kernel.shape)
            kernel.assign(np.where(np.abs(values) < 0.1, 0, values))
        return kernels

    @pytest.fixture
    def made(self, kernels: list[Any]) -> Criterion:
        """A criterion that tracks the kernels."""
        from tfopt.backend.pruning.criterion import make_criterion

        criterion = make_criterion(self.criterion)
        criterion.track(kernels)
        return criterion

    def test_it_has_a_summary(self, made: object) -> None:
        summary = (type(made).__doc__ or "").strip().splitlines()
        assert summary, f"{type(made).__name__} has no docstring"
        assert len(summary[0]) <= 120

    def test_each_weight_has_a_score_that_is_finite_and_not_negative(self, made: Criterion, kernels: list[Any]) -> None:
        if not made.of_weights:
            pytest.skip("it ranks units only")
        for kernel in kernels:
            scores = made.scores(kernel).numpy()
            assert scores.shape == tuple(kernel.shape)
            assert np.isfinite(scores).all()
            assert (scores >= 0).all()

    def test_each_unit_has_a_score_that_is_finite_and_not_negative(self, made: Criterion, kernels: list[Any]) -> None:
        from tfopt.backend.pruning.units import Units, UnitSlices

        count = kernels[0].shape[-1]
        positions = tuple((unit,) for unit in range(count))
        produced = UnitSlices(kernels[0], len(kernels[0].shape) - 1, positions)
        scale = UnitSlices(kernels[1], 0, positions)
        units = Units("hidden", count, (produced,), scales=(scale,))
        if made.needs == "activations":
            made.observe("hidden", np.random.default_rng(0).normal(size=(20, count)))
        scores = made.unit_scores(units)
        assert scores.shape == (count,)
        assert np.isfinite(scores).all()
        assert (scores >= 0).all()

    def test_scores_change_nothing_and_depend_on_nothing_else(self, made: Criterion, kernels: list[Any]) -> None:
        if not made.of_weights:
            pytest.skip("it ranks units only")
        for kernel in kernels:
            before, scores = kernel.numpy(), made.scores(kernel).numpy()
            np.testing.assert_array_equal(made.scores(kernel).numpy(), scores)
            np.testing.assert_array_equal(kernel.numpy(), before)
