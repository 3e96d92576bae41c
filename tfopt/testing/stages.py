"""Contract suite of stages. Subclass `StageContract` to check yours:

class TestShrink(StageContract):
    kind = "shrink"
    config = {"factor": 2}
    before = ({"train": {"epochs": 1}},)
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest
from pydantic import ValidationError

from tfopt.catalog.catalog import catalog
from tfopt.core.contracts.events import Emit, Event
from tfopt.core.contracts.stage import Stage
from tfopt.core.contracts.types import Model
from tfopt.core.language.block import Block
from tfopt.core.language.docstrings import key_docstrings
from tfopt.core.recipe.recipe import Recipe, build_recipe
from tfopt.core.records.run import Run
from tfopt.io.store.store import Store

if TYPE_CHECKING:
    from tfopt.backend.types import Array

MODEL = {"source": "mlp", "args": {"units": [8]}}
"""The model on which stages are tested by default: 610 weights."""


class StageContract:
    """One stage, tried on handwritten digits.

    Attributes:
        kind: its key in a recipe.
        config: keys it is tried with; a training stage is tried with two epochs or more.
        before: entries of `stages` that stand before it.
        model: the `model` block it is tried on.
    """

    kind: ClassVar[str]
    config: ClassVar[Mapping[str, object]] = {}
    before: ClassVar[tuple[Mapping[str, object], ...]] = ()
    model: ClassVar[Mapping[str, object]] = MODEL

    @classmethod
    def recipe(cls, name: str = "") -> Recipe:
        body = {**cls.config, "name": name} if name else dict(cls.config)
        document = {
            "name": "contract",
            "seed": 1,
            "data": {"source": "digits", "batch_size": 256},
            "model": dict(cls.model),
            "stages": [*(dict(entry) for entry in cls.before), {cls.kind: body}],
        }
        return build_recipe(document, catalog())

    @classmethod
    def carried_out(cls, out: Path, on_event: Emit | None = None) -> Run:
        from tfopt.engine.plan import prepare
        from tfopt.engine.run import execute

        folder = out / "run"
        folder.mkdir(parents=True, exist_ok=True)
        store = Store(out / ".store")
        return execute(prepare(cls.recipe(), store), store, folder, on_event)

    @classmethod
    def result(cls, out: Path, run: Run) -> Model:
        """The result of the stage in the store."""
        from tfopt.backend.artifacts import stage_artifacts

        return stage_artifacts.load(Store(out / ".store").folder(run.report.stages[-1].key))

    @pytest.fixture(scope="class")
    @classmethod
    def stage(cls) -> Stage:
        return cls.recipe().stages[-1]

    @pytest.fixture(scope="class")
    @classmethod
    def done(cls, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
        out = tmp_path_factory.mktemp("whole")
        return out, cls.carried_out(out)

    def test_says_what_it_is_and_what_its_keys_mean(self, stage: Stage) -> None:
        check_block(type(stage))
        assert type(stage).version >= 1

    def test_it_returns_a_stage_result(self, done: tuple[Path, Run]) -> None:
        assert [text for text in done[1].report.warnings if "returns the model alone" in text] == []

    def test_its_config_is_frozen_and_survives_being_written(self, stage: Stage) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            stage.name = "other"  # type: ignore[misc]  # it has to raise
        assert type(stage).model_validate(stage.model_dump(mode="json")) == stage

    def test_what_it_is_called_changes_no_key(self) -> None:
        from tfopt.engine.keys import key_of

        keys = [key_of(one.stages[-1], one, "parent", "data") for one in (self.recipe(), self.recipe("other"))]
        assert keys[0] == keys[1]

    def test_it_leaves_a_model_free_of_wrappers(self, done: tuple[Path, Run]) -> None:
        from tfopt.backend.artifacts import stage_artifacts

        model = stage_artifacts.float_model(self.result(*done))
        for layer in model._flatten_layers(include_self=False):
            assert not type(layer).__module__.startswith("tensorflow_model_optimization"), layer.name

    def test_it_adds_what_it_claims_to_add(self, stage: Stage, done: tuple[Path, Run]) -> None:
        from tfopt.backend.artifacts import stage_artifacts

        result, layers = self.result(*done), done[1].report.stages[-1].layers
        assert ("quantized" in stage.adds) == (stage_artifacts.float_model(result) is not result)
        if "sparse" in stage.adds:
            assert max(layer.sparsity for layer in layers) > 0.2
        if "clustered" in stage.adds:
            assert min(layer.unique for layer in layers) <= 64

    def test_it_keeps_what_it_claims_to_keep(self, stage: Stage, done: tuple[Path, Run]) -> None:
        """A run fails where a layer has lost something; here it is tried that there was something to lose."""
        before = done[1].report.stages[:-1]
        made = {trait for one in self.recipe().stages[:-1] for trait in one.adds}
        if "sparse" in made & stage.keeps:
            assert max(layer.sparsity for layer in before[-1].layers) > 0.2

    def test_it_gives_the_same_again_also_after_an_interruption(self, done: tuple[Path, Run], tmp_path: Path) -> None:
        name = self.recipe().stages[-1].name

        def interrupt(event: Event) -> None:
            if event["event"] == "epoch" and event["stage"] == name:
                raise KeyboardInterrupt

        # The stages before it come from the store.
        shutil.copytree(done[0] / ".store", tmp_path / ".store")
        Store(tmp_path / ".store").remove(done[1].report.stages[-1].key)
        try:
            again = self.carried_out(tmp_path, interrupt)
        except KeyboardInterrupt:
            again = self.carried_out(tmp_path)
        assert not again.report.stages[-1].cached
        assert again.report.stages[-1].measures == done[1].report.stages[-1].measures
        pairs = zip(weights_of(self.result(tmp_path, again)), weights_of(self.result(*done)), strict=True)
        assert all(np.array_equal(one, other) for one, other in pairs)


def check_block(block: type[Block]) -> None:
    """Checks that a class and its keys have docstrings for `tfopt ls`, the documentation and editors."""
    summary = (block.__doc__ or "").strip().splitlines()
    assert summary, f"{block.__name__} has no docstring"
    assert len(summary[0]) <= 120
    documented = key_docstrings(block)
    for key in block.model_fields:
        assert documented.get(key), f"{block.__name__}.{key} has no docstring below it"
    assert block.model_json_schema()["type"] == "object"


def weights_of(model: Model) -> list[Array]:
    """All weights, of a quantized model those that simulate 8 bits."""
    from tfopt.backend.artifacts import stage_artifacts

    weights: list[Array] = stage_artifacts.inference_model(model).get_weights()
    return weights
