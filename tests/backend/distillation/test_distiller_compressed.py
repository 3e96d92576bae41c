"""Teachers in stages that change the model, and students with attention and sequences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tf_keras

from tests.support.contexts import Log
from tests.support.digits import digits
from tests.support.distillation import distill, distiller, stored
from tests.support.models import small_model
from tfopt.backend import distillation
from tfopt.backend.artifacts import stage_artifacts
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.graph.sparsity import sparsity
from tfopt.backend.stages import fit as training
from tfopt.core.config.model_source import KnownModel
from tfopt.core.contracts.preflight import Workload
from tfopt.stages.cluster import Cluster
from tfopt.stages.prune import Prune
from tfopt.stages.qat import Qat
from tfopt.stages.train import Train

pytestmark = pytest.mark.tf

layers = tf_keras.layers

PAIRS = [{"student": "hidden"}, {"student": "conv2", "loss": "attention_transfer"}, {"student": "norm", "loss": "hint"}]
TEACHERS = [
    pytest.param({"stage": "train", "layers": PAIRS}, id="stage"),
    # In CI a student's own average teaches in test_distiller.py and in the fixture `sparse`.
    pytest.param({"ema": {"decay": 0.9}}, id="ema", marks=pytest.mark.slow),
]
SCHEDULE = {"kind": "polynomial", "final": "60%", "end": "60%"}


@pytest.fixture(scope="module")
def dense(tmp_path_factory):
    """A store entry with a trained model, which is student and teacher at once."""
    folder = tmp_path_factory.mktemp("dense")
    model = small_model()
    training.train(model, Train(epochs=8, learning_rate=3e-3), distiller(folder, distill({"ema": {}}).teacher, {}))
    return stored(model, folder / "entry")


@pytest.fixture(scope="module")
def sparse(dense, tmp_path_factory):
    """A store entry with the model, 75 % sparse."""
    folder = tmp_path_factory.mktemp("sparse")
    pruning = distill({"ema": {}}, Prune, epochs=2, schedule={**SCHEDULE, "final": "75%"})
    model = pruning.apply(stage_artifacts.load(dense), distiller(folder, pruning.teacher, {})).model
    return stored(model, folder / "entry")


def test_a_model_teaches_itself_while_it_is_pruned(dense, tmp_path):
    log = Log()
    stage = distill({"stage": "train", "layers": PAIRS, "weight": 0.7}, Prune, epochs=4, schedule=SCHEDULE)

    student = stage.apply(
        stage_artifacts.load(dense), distiller(tmp_path, stage.teacher, {"stage train": dense}, log)
    ).model

    assert sparsity(student) == pytest.approx(0.6, abs=0.01)
    assert log.of("epoch")[-1]["accuracy"] > 0.65
    assert {"hint_loss", "attention_transfer_loss"} <= set(log.of("epoch")[-1])
    assert not any("prun" in layer.name or "projection" in layer.name for layer in student.layers)


@pytest.mark.parametrize("teacher", TEACHERS)
def test_a_sparse_model_is_taught_in_8_bits(teacher, dense, sparse, tmp_path):
    log = Log()
    stage = distill(teacher, Qat, learning_rate=1e-3)
    where = distiller(tmp_path / "qat", stage.teacher, {"stage train": dense}, log)

    quantized = stage.apply(stage_artifacts.load(sparse), replace(where, traits=frozenset({"sparse"}))).model

    assert sparsity(quantized.float_model) == pytest.approx(0.75, abs=0.01)
    assert log.of("epoch")[-1]["accuracy"] > 0.5
    fresh = small_model()
    assert [v.shape for v in quantized.float_model.variables] == [v.shape for v in fresh.variables]


@pytest.mark.parametrize("teacher", TEACHERS)
def test_a_model_is_taught_while_it_is_clustered(teacher, dense, tmp_path):
    log = Log()
    stage = distill(teacher, Cluster, clusters=8, learning_rate=1e-3)

    student = stage.apply(
        stage_artifacts.load(dense), distiller(tmp_path, stage.teacher, {"stage train": dense}, log)
    ).model

    for name in ("conv2", "hidden", "logits"):
        assert len(np.unique(student.get_layer(name).get_weights()[0])) <= 8
    assert log.of("epoch")[-1]["accuracy"] > 0.5


def transformer(width, blocks, seed, labels_per_row=False):
    """Rows of a digit as a sequence of 8; attention whose scores can be read."""
    tf_keras.utils.set_random_seed(seed)
    inputs = layers.Input((8, 8, 1))
    x = layers.Dense(width, name="embedding")(layers.Reshape((8, 8), name="rows")(inputs))
    for block in range(blocks):
        attention = layers.MultiHeadAttention(2, width // 2, name=f"attention_{block}")
        seen, _ = attention(x, x, return_attention_scores=True)
        x = layers.LayerNormalization(name=f"state_{block}")(x + seen)
    x = layers.Dense(2 * width, activation="relu", name="wide")(x if labels_per_row else layers.Flatten(name="flat")(x))
    return tf_keras.Model(inputs, layers.Dense(10, activation="softmax", name="answer")(x))


def test_attention_maps_and_hidden_states(tmp_path):
    teacher = transformer(24, 2, seed=1)
    where = distiller(tmp_path / "teacher", distill({"ema": {}}).teacher, {})
    training.train(teacher, Train(epochs=8, learning_rate=3e-3), where)
    pairs = [
        {"student": "attention_0", "teacher": "attention_1", "loss": "attention_maps", "weight": 100},
        {"student": "state_0", "teacher": "state_1", "loss": "hidden_states"},
    ]
    stage = distill({"stage": "train", "layers": pairs}, epochs=5)
    known = {"stage train": KnownModel(teacher)}
    student = transformer(16, 1, seed=2)
    log = Log()

    planned = distillation.teacher_preflight(student, stage.teacher, Workload(95, 19, 1200, sources=known))
    places = {"stage train": stored(teacher, tmp_path / "entry")}
    training.train(student, stage, distiller(tmp_path / "student", stage.teacher, places, log))

    assert planned.problems == ()
    for part in ("attention_maps_loss", "hidden_states_loss", "soft_loss"):
        assert log.of("epoch")[-1][part] < log.of("epoch")[0][part]
    assert log.of("epoch")[-1]["val_accuracy"] > 0.4


@pytest.mark.parametrize(
    "loss", ["soft_labels", pytest.param({"kind": "decoupled", "others": 1}, marks=pytest.mark.slow)], ids=str
)
def test_a_class_for_each_place_of_a_sequence(loss, tmp_path):
    """The label of the image at each of its rows."""
    data = digits()
    splits = [
        Split(s.inputs, np.repeat(s.targets[:, None], 8, axis=1)) for s in (data.train, data.validation, data.test)
    ]
    rows = Data(*splits, source="rows", num_classes=10)
    teacher = transformer(16, 1, seed=1, labels_per_row=True)
    where = distiller(tmp_path / "teacher", distill({"ema": {}}).teacher, {}, data=rows)
    training.train(teacher, Train(epochs=6, learning_rate=3e-3), where)
    places = {"stage train": stored(teacher, tmp_path / "entry")}

    log = Log()
    stage = distill({"stage": "train", "loss": loss}, epochs=4)
    student = transformer(12, 1, seed=2, labels_per_row=True)
    training.train(student, stage, distiller(tmp_path / "student", stage.teacher, places, log, data=rows))
    assert log.of("epoch")[-1]["soft_loss"] < log.of("epoch")[0]["soft_loss"]
    assert log.of("epoch")[-1]["val_accuracy"] > log.of("epoch")[0]["val_accuracy"] - 0.05
