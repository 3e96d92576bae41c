"""A stage that is killed inside an epoch goes on with the very batch that comes next, wherever its examples are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

from tests.support.children.processes import kill_stage
from tests.support.contexts import Log, context
from tests.support.large_data import jpegs, parquet
from tests.support.models import same_weights
from tfopt.backend.data.arrays import decoded
from tfopt.backend.data.load import load
from tfopt.backend.stages import fit as training
from tfopt.backend.training import loop as fitting
from tfopt.backend.training import steps
from tfopt.core.config.data import Augment, DataConfig
from tfopt.core.config.training.compile import Compile
from tfopt.stages.train import Train

pytestmark = pytest.mark.tf

FEATURES = {"image": {}, "label": {"role": "target"}}
STREAM = """
import numpy as np
import tensorflow as tf

def load():
    x = np.random.RandomState(0).rand(60, 10, 10, 3).astype("float32")
    return tf.data.Dataset.from_tensor_slices((x, np.arange(60) % 2)).shuffle(60, seed=1)
"""


def source(folder: Path) -> dict[str, Any]:
    """The source in a folder: images, a table in many groups of rows, or a stream."""
    if (folder.parent / "images").exists():
        return {"source": str(folder.parent / "images")}
    if (folder.parent / "stream.py").exists():
        return {"source": "stream:load"}
    return {"source": str(folder.parent / "x.parquet"), "features": FEATURES}


def run(folder: Path, react: Any = lambda event: None) -> tf_keras.Model:
    """Two epochs of twelve steps, with dropout and augmentation; examples are decoded each time they are read."""
    tf_keras.utils.set_random_seed(0)
    inputs = tf_keras.layers.Input((10, 10, 3))
    hidden = tf_keras.layers.Dropout(0.3)(tf_keras.layers.Flatten()(inputs))
    model = tf_keras.Model(inputs, tf_keras.layers.Dense(2, activation="softmax")(hidden))
    data = load(DataConfig(**source(folder), cache="none"), folder.parent, folder / "kept")
    made = context(folder, react, data=data, compile=Compile(), batch_size=4, augment=Augment(flip="horizontal"))
    return training.train(model, Train.model_validate({"name": "train", "epochs": 2}), made).model


def interrupted(event: Any) -> None:
    if event["event"] == "progress" and event["step"] == 17:
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    "kind", ["images", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("table", "stream"))]
)
def test_the_next_batch_comes_next(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind == "table":
        pytest.importorskip("pyarrow")
    examples = jpegs(tmp_path / ("images" if kind == "images" else "other"), 60)
    if kind == "table":
        parquet(tmp_path / "x.parquet", examples, group=5)  # twelve groups: shuffled in windows
    if kind == "stream":
        (tmp_path / "stream.py").write_text(STREAM, encoding="utf-8")
    monkeypatch.setattr(steps, "SIGN_OF_LIFE", 0.0)
    monkeypatch.setattr(fitting, "SECONDS_BETWEEN_SIGNS", 0.0)
    whole_log, log = Log(), Log()
    whole = run(tmp_path / "whole", whole_log)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", interrupted)
    read: list[int] = []
    own_read = decoded.DecodedRows.read
    with monkeypatch.context() as patch:

        def counted(self: Any, positions: Any) -> Any:
            read.extend(np.asarray(positions).tolist())
            return own_read(self, positions)

        patch.setattr(decoded.DecodedRows, "read", counted)
        again = run(tmp_path / "stopped", log)
    per_epoch = whole_log.of("epoch")[0]["step"]
    assert log.of("progress")[0]["step"] == 18
    assert same_weights(again, whole)
    assert [{**entry, "seconds": 0} for entry in log.of("epoch")] == [
        {**entry, "seconds": 0} for entry in whole_log.of("epoch")
    ]
    if kind == "images":  # 60 to be traced and checked at most, and what is left of the epoch; not what came before
        left = (2 * per_epoch - 17) * 4
        assert left <= len(read) < left + 60


@pytest.mark.slow
def test_a_process_killed_inside_an_epoch_goes_on_from_its_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jpegs(tmp_path / "images", 60)
    kill_stage(f"{__name__}:run_with_checkpoints", tmp_path / "killed", "progress 2")
    log = Log()
    again = run(tmp_path / "killed", log)
    assert log.of("progress")[0]["step"] > 12
    assert same_weights(again, run(tmp_path / "whole"))


def run_with_checkpoints(folder: Path, react: Any) -> None:
    """`run`, with a checkpoint after each step; killed with the fifth step of the second epoch."""
    fitting.SECONDS_BETWEEN_CHECKPOINTS = 0

    def late(event: Any) -> None:
        if event["event"] != "progress" or event["step"] >= 16:
            react(event)

    run(folder, late)
