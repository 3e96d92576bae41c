"""The detector of the zoo: an output for each anchor, in the order of the anchors."""

from __future__ import annotations

import numpy as np
import pytest

from tfopt.backend.data.load import Data, load
from tfopt.backend.models import build as models
from tfopt.backend.models.zoo import ssd_mobilenet
from tfopt.core.config.data import DataConfig
from tfopt.core.recipe.recipe import ModelConfig
from tfopt.errors import StageError

pytestmark = pytest.mark.tf


def data(**args: object) -> Data:
    return load(DataConfig(source="scenes_detection", args={"train": 8, "test": 2, "size": 36, **args}))


@pytest.mark.parametrize(
    "grid", [{}, {"strides": [4], "scales": [0.3]}, {"strides": [16, 64], "scales": [0.3, 0.8], "ratios": [1.0]}]
)
def test_it_has_an_output_for_each_anchor(grid: dict[str, object]) -> None:
    own = data(**grid)
    assert own.anchors is not None
    model = models.build(ModelConfig(source="ssd_mobilenet", args={"alpha": 0.125}), own, seed=0).model
    assert model.output_names == ["boxes", "classes"]
    anchors = len(own.anchors.boxes())
    assert model.output_shape == [(None, anchors, 4), (None, anchors, 6)]
    classes = model(own.train.inputs[:2], training=False)[1].numpy()
    assert np.allclose(classes.sum(axis=-1), 1, atol=1e-5)


def test_what_it_refuses() -> None:
    with pytest.raises(StageError, match="the data of this recipe have none"):
        ssd_mobilenet.build((64, 64, 3), 5)
    with pytest.raises(StageError, match="from stride 4 on"):
        models.build(ModelConfig(source="ssd_mobilenet"), data(strides=[2], scales=[0.3]), seed=0)
