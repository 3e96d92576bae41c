"""Weight rewinding on a real small net: what goes back, what stays, and that it survives an interruption."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tests.support.contexts import Log, context
from tests.support.digits import digits
from tests.support.models import same_weights, small_model
from tfopt.backend.graph.kernels import prunable_kernels
from tfopt.backend.pruning import rewinding
from tfopt.backend.stages import prune as pruning
from tfopt.backend.training import compile as compiling
from tfopt.backend.training import loop as fitting
from tfopt.backend.training import steps as loop
from tfopt.backend.training.hooks import HookList, TrainingHook
from tfopt.backend.training.resume import checkpoint, snapshots
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.keras_names import OPTIMIZERS
from tfopt.core.contracts.preflight import Workload
from tfopt.core.contracts.stage import SNAPSHOTS
from tfopt.errors import RecipeError, StageError
from tfopt.stages.prune import Prune
from tfopt.stages.train import Train

pytestmark = pytest.mark.tf

KERNELS = ("conv1", "conv2", "hidden", "logits")
TRAIN = Train(name="train", epochs=3, keep=(1,))
SCHEDULE = {"kind": "linear", "final": "80%", "end": "25 steps", "every": "5 steps"}
STEP = 26
"""The step before which the weights go back: in the midst of the third of four epochs of ten steps."""


def surroundings(folder, emit=lambda event: None, **more):
    return replace(context(folder, emit, data=digits(640)), **more)


def stepping(monkeypatch):
    """One step per call into TensorFlow, each with its sign of life."""
    monkeypatch.setattr(loop, "SIGN_OF_LIFE", 0.0)
    monkeypatch.setattr(fitting, "SECONDS_BETWEEN_SIGNS", 0.0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A dense stage: its folder, its last weights, and those at the end of each epoch."""
    folder, model, seen = tmp_path_factory.mktemp("dense"), small_model(), {}

    def look(event):
        if event["event"] == "epoch":
            seen[event["epoch"]] = model.get_weights()

    TRAIN.apply(model, surroundings(folder, look))
    return folder / "work", model.get_weights(), seen


def stage_of(**more):
    written = {"name": "prune", "epochs": 4, "schedule": SCHEDULE, "rewind": {"stage": "train", "epoch": 1}, **more}
    return Prune.model_validate({"layers": [{"match": "conv2", "sparsity_m_by_n": [2, 4]}], **written})


def prune(trained, folder, emit=lambda event: None, **more):
    work, dense, _ = trained
    model = small_model()
    model.set_weights(dense)
    result = stage_of(**more).apply(model, surroundings(folder, emit, earlier={"train": work}))
    return emit.reported(result) if isinstance(emit, Log) else result.model


@pytest.fixture(scope="module")
def rewound(trained, tmp_path_factory):
    """A stage with rewinding: model, events, and what was there right after the weights went back."""
    log, seen = Log(), {}
    with pytest.MonkeyPatch.context() as patch:
        original, before_step = rewinding.restart, rewinding.RewindHook.before_step

        def restart(optimizer, fresh, variables):
            seen["scales"] = [one.numpy() for one in optimizer._velocities]
            original(optimizer, fresh, variables)
            seen["optimizer"] = optimizer
            seen["momenta"] = [one.numpy() for one in optimizer._momentums]
            seen["same scales"] = all(map(np.array_equal, seen["scales"], [v.numpy() for v in optimizer._velocities]))

        def look(self, step):
            before_step(self, step)
            seen["weights"] = [variable.numpy() for variable, _ in self._weights]
            seen["iterations"] = int(seen["optimizer"].iterations)

        patch.setattr(rewinding, "restart", restart)
        patch.setattr(rewinding.RewindHook, "before_step", look)
        model = prune(trained, tmp_path_factory.mktemp("rewound"), log)
    return model, log, seen


def test_the_weights_of_the_epoch_were_kept(trained):
    work, _, seen = trained
    assert [path.name for path in (work / SNAPSHOTS).iterdir()] == ["epoch_1.npz"]
    kept = snapshots.read(work, "train", 1, small_model(seed=5))
    by_variable = {id(variable): array for variable, array in kept}
    assert len(by_variable) == len(seen[1])
    model = small_model(seed=5)
    for variable, array in snapshots.read(work, "train", 1, model):
        variable.assign(array)
    assert all(map(np.array_equal, model.get_weights(), seen[1]))
    assert not np.array_equal(seen[1][0], seen[3][0])


def test_the_weights_go_back_under_the_masks(trained, rewound):
    model, _, seen = rewound
    then = small_model()
    for (variable, _), array in zip(snapshots.read(trained[0], "train", 1, then), seen["weights"], strict=True):
        variable.assign(array)
    earlier = small_model()
    earlier.set_weights(trained[2][1])
    for layer, was in zip(then.layers, earlier.layers, strict=True):
        for index, (array, before) in enumerate(zip(layer.get_weights(), was.get_weights(), strict=True)):
            pruned = layer.name in KERNELS and index == 0
            mask = array != 0 if pruned else np.ones_like(array)
            assert np.array_equal(array, before * mask), layer.name
            if pruned:
                final = prunable_kernels(model.get_layer(layer.name))[0].numpy()
                assert np.mean(mask) == pytest.approx(0.5 if layer.name == "conv2" else 0.2, abs=0.01)
                assert not np.any(final[~mask]), "a mask has moved after the weights went back"
                assert not np.array_equal(final, array), "nothing was trained after the weights went back"


def test_the_optimizer_forgets_its_direction_and_keeps_its_clock(rewound):
    _, _, seen = rewound
    assert seen["iterations"] == STEP - 1
    assert not any(np.any(one) for one in seen["momenta"])
    assert seen["same scales"]
    assert any(np.any(one) for one in seen["scales"])


def test_the_stage_ends_with_its_sparsity_and_says_what_it_did(rewound):
    model, log, _ = rewound
    found = {name: pruning.layer_sparsity(model.get_layer(name)) for name in KERNELS}
    assert found == pytest.approx({"conv1": 0.8, "conv2": 0.5, "hidden": 0.8, "logits": 0.8}, abs=0.01)
    assert log.of("details")[0]["rewind"] == {"stage": "train", "epoch": 1, "before_step": STEP}
    assert [entry["step"] for entry in log.of("epoch")] == [10, 20, 30, 40]


def test_interruptions_before_it_in_the_midst_of_it_and_after_it_change_nothing(
    trained, rewound, tmp_path, monkeypatch
):
    """One stage, interrupted three times; in the midst, the weights have gone back and the optimizer has not."""
    stepping(monkeypatch)

    def interrupt_after(step):
        def interrupt(event):
            if event["event"] == "progress" and event["step"] == step:
                raise KeyboardInterrupt

        return interrupt

    def interrupt_restart(optimizer, fresh, variables):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prune(trained, tmp_path, interrupt_after(STEP - 1))
    with monkeypatch.context() as patch:
        patch.setattr(rewinding, "restart", interrupt_restart)
        with pytest.raises(KeyboardInterrupt):
            prune(trained, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        prune(trained, tmp_path, interrupt_after(STEP))
    log = Log()
    assert same_weights(prune(trained, tmp_path, log), rewound[0])
    assert log.of("progress")[0]["step"] == STEP + 1


def test_one_threshold_for_all_layers_can_be_rewound_at_an_epochs_end(trained, tmp_path):
    schedule = {"kind": "iterative", "final": "80%", "rounds": 3, "end": "2 epochs"}
    model = prune(trained, tmp_path, epochs=3, schedule=schedule, allocation="global", layers=[])
    weights = [prunable_kernels(model.get_layer(name))[0].numpy() for name in KERNELS]
    assert sum(np.count_nonzero(one == 0) for one in weights) / sum(one.size for one in weights) == pytest.approx(
        0.8, abs=0.002
    )


def test_a_dense_stage_interrupted_at_a_kept_epoch_still_keeps_it(trained, tmp_path, monkeypatch):
    save, saved = checkpoint.save, []

    def interrupt(path, arrays):
        save(path, arrays)
        saved.append(path.name)
        if path.name == "epoch_1.npz":
            path.unlink()
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save", interrupt)
        with pytest.raises(KeyboardInterrupt):
            TRAIN.apply(small_model(), surroundings(tmp_path))
    assert saved == ["epoch_1.npz", checkpoint.FILE]
    TRAIN.apply(small_model(), surroundings(tmp_path))
    ours, theirs = (checkpoint.load(one / SNAPSHOTS / "epoch_1.npz") for one in (tmp_path / "work", trained[0]))
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_early_stopping_counts_from_there():
    told = []

    class Earlier(TrainingHook):
        decision_steps = (3, 9)
        early_stopping_from = 9
        before_step = staticmethod(told.append)

    rewind = rewinding.RewindHook(10, (), lambda: told.append("masks"), lambda: told.append("optimizer"))
    one = HookList([Earlier(), rewind])
    assert (one.decision_steps, one.early_stopping_from) == ([3, 9, 10], 10)
    one.before_step(9)
    one.before_step(10)
    assert told == [9, "masks", "optimizer"], "each hook is called before its own steps only"


def test_a_rewinding_after_the_last_step_is_refused_before_training(trained, tmp_path):
    late = {**SCHEDULE, "end": "100%"}
    found = pruning.preflight(small_model(), stage_of(schedule=late), Workload(40, 10, 640))
    (mistake,) = found.problems
    assert mistake.path == ("rewind",)
    assert "in the last of the stage's 40 steps: nothing would be trained after it" in mistake.message
    with pytest.raises(RecipeError, match="nothing would be trained after it"):
        prune(trained, tmp_path, schedule=late)


def other_model(change):
    layers = tf_keras.layers
    inputs = layers.Input((8, 8, 1))
    x = layers.Flatten(name="flatten")(inputs)
    inner = tf_keras.Sequential([layers.Dense(8 if change == "shape" else 6, name="deep")], name="inner")
    x = layers.Dense(4, name="added")(inner(x)) if change == "added" else inner(x)
    if change == "taken":
        return tf_keras.Model(inputs, x)
    return tf_keras.Model(inputs, layers.Dense(10, name="logits")(x))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("shape", r"layer inner/deep has a weight of shape \(64, 8\), but had it with the shape \(64, 6\) then"),
        ("added", r"layer added has a weight of shape \(6, 4\), but did not have it then"),
        ("taken", "layer logits had more weights then than it has now"),
    ],
)
def test_weights_of_other_layers_are_refused_by_name(tmp_path, change, message):
    snapshots.SnapshotHook(other_model(""), [2], tmp_path).after_epoch({"epoch": 2})
    assert len(snapshots.read(tmp_path, "train", 2, other_model(""))) == 4
    with pytest.raises(StageError, match=f"epoch 2 of train are not those of this model: {message}"):
        snapshots.read(tmp_path, "train", 2, other_model(change))


def test_an_epoch_that_early_stopping_left_out_is_told(trained):
    with pytest.raises(StageError, match=r"train has no weights of epoch 3 \(it kept: 1\)"):
        snapshots.read(trained[0], "train", 3, small_model())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_no_optimizer_takes_larger_steps_after_a_restart_than_a_new_one(name):
    """A thousand steps with gradients of equal size, a restart, and fifty more."""
    config = Compile.model_validate({"optimizer": {"name": name, "learning_rate": 0.01}})
    used, fresh, new = (compiling.make_optimizer(config, None, 1000, 10) for _ in range(3))
    signs = tf.constant([1.0, -1.0])

    def many(optimizer, variable, steps):
        """In one call into TensorFlow."""
        optimizer.build([variable])

        @tf.function
        def run():
            for step in tf.range(steps):
                optimizer.apply_gradients([(signs * tf.where(step // 3 % 2 == 0, 1.0, -1.0), variable)])

        run()

    def largest(optimizer, variable, steps):
        optimizer.build([variable])
        apply = tf.function(lambda gradient: optimizer.apply_gradients([(gradient, variable)]))
        moved = []
        for step in range(steps):
            before = variable.numpy()
            apply(signs * (-1.0) ** (step // 3))
            moved.append(np.max(np.abs(variable.numpy() - before)))
        return max(moved)

    variable, other = tf.Variable([1.0, 2.0]), tf.Variable([1.0, 2.0])
    many(used, variable, 1000)
    rewinding.restart(used, fresh, [variable])
    assert int(used.iterations) == 1000
    assert largest(used, variable, 50) <= 1.05 * largest(new, other, 50)
