"""Contract suite of export targets. Subclass `ExportContract` to check yours:

class TestCoreml(ExportContract):
    kind = "coreml"
    config = {"precision": "float16"}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np
import pytest
from pydantic import ValidationError

from tfopt.catalog.catalog import catalog
from tfopt.core.config.training.compile import Compile
from tfopt.core.contracts.export import Export, ExportContext, ExportWorkload
from tfopt.core.contracts.types import Data, Model
from tfopt.core.recipe.reader import read_exports
from tfopt.core.records.report import ExportRecord
from tfopt.testing.stages import check_block

if TYPE_CHECKING:
    from tfopt.backend.types import Array
    from tfopt.core.contracts.types import Model

Written: TypeAlias = "tuple[Path, list[ExportRecord], list[Array]]"
"""Folder, records, and the weights of the model before anything was written."""


class ExportContract:
    """One export target, tried with a small dense network on handwritten digits.

    Attributes:
        kind: its key in a recipe.
        config: the value of that key.
        others: the other exports of the recipe; a target that is written `last` is made of their files.
    """

    kind: ClassVar[str]
    config: ClassVar[Mapping[str, object]] = {}
    others: ClassVar[Mapping[str, object]] = {}

    @pytest.fixture(scope="class")
    @classmethod
    def export(cls) -> Export:
        (found,), problems = read_exports({cls.kind: dict(cls.config)}, catalog())
        assert problems == []
        return found

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls) -> Model:
        from tfopt.backend.models import build as models
        from tfopt.core.recipe.recipe import ModelConfig

        model = models.build(ModelConfig(source="mlp", args={"units": [8]}), cls.data(), seed=1).model
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(cls.data().train.inputs, cls.data().train.targets, epochs=3, verbose=0)
        return model

    @classmethod
    def data(cls) -> Data:
        from tfopt.backend.data import load as data
        from tfopt.core.config.data import DataConfig

        return data.load(DataConfig(source="digits"), Path())

    @classmethod
    def written(cls, export: Export, model: Model, folder: Path) -> list[ExportRecord]:
        (folder / "export").mkdir()
        context = ExportContext(folder / "export", cls.data(), Compile(), seed=1, emit=lambda event: None)
        targets, problems = read_exports(dict(cls.others), catalog())
        assert problems == []
        files = [record for target in targets for record in target.write(model, context)]
        return export.write(model, replace(context, written=files))

    @pytest.fixture(scope="class")
    @classmethod
    def done(cls, export: Export, model: Model, tmp_path_factory: pytest.TempPathFactory) -> Written:
        folder, before = tmp_path_factory.mktemp("exported"), model.get_weights()
        return folder, cls.written(export, model, folder), before

    def test_says_what_it_is_and_what_its_keys_mean(self, export: Export) -> None:
        check_block(type(export))

    def test_its_config_is_frozen_and_survives_being_written(self, export: Export) -> None:
        for key in type(export).model_fields:
            with pytest.raises(ValidationError, match="frozen"):
                setattr(export, key, None)
        assert type(export).model_validate(export.model_dump(mode="json")) == export

    def test_before_training_nothing_is_known_against_a_dense_network(self, export: Export, model: Model) -> None:
        before = model.get_weights()
        workload = ExportWorkload(parameters=model.count_params(), examples=10_000, data=self.data())
        found = export.preflight(model, workload)
        assert found.problems == ()
        assert all(np.array_equal(one, other) for one, other in zip(model.get_weights(), before, strict=True))

    def test_there_is_a_record_for_every_name(self, export: Export, done: Written) -> None:
        assert [record.name for record in done[1]] == list(export.names())

    def test_the_files_exist_and_have_the_reported_size(self, done: Written) -> None:
        folder, records, _ = done
        for record in records:
            path = folder / record.path
            files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
            assert sum(file.stat().st_size for file in files) == record.bytes > 0
            assert record.gzip_bytes > 0

    def test_every_claim_is_made_good(self, done: Written) -> None:
        assert [(record.name, claim) for record in done[1] for claim in record.claims if not claim.held] == []

    def test_measures_come_from_running_the_file(self, export: Export, done: Written) -> None:
        if export.last:
            pytest.skip("the files that it is made of have been measured")
        for record in done[1]:
            assert {"accuracy", "agreement"} <= record.measures.keys(), record.name
            assert 0 <= record.measures["agreement"] <= 1

    def test_the_model_is_left_as_it_was(self, model: Model, done: Written) -> None:
        assert all(np.array_equal(one, other) for one, other in zip(model.get_weights(), done[2], strict=True))

    def test_the_same_model_gives_the_same_file(
        self, export: Export, model: Model, done: Written, tmp_path: Path
    ) -> None:
        if export.last:
            pytest.skip("it holds the latency of the files that it is made of")
        again = {record.name: record for record in self.written(export, model, tmp_path)}
        for record in done[1]:
            assert again[record.name].bytes == record.bytes
            path = done[0] / record.path
            if path.is_file():
                assert (tmp_path / record.path).read_bytes() == path.read_bytes()
