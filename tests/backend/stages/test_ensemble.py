"""An ensemble answers as its members do together, in Keras, in the store and in TFLite."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras
from ai_edge_litert.interpreter import Interpreter

from tests.support.contexts import context
from tests.support.converting import converter_of
from tests.support.digits import digits
from tests.support.models import small_model
from tfopt.backend.artifacts import stage_artifacts
from tfopt.backend.ensembling.combine import combined_values, smallest_gap
from tfopt.backend.ensembling.heads import Head
from tfopt.backend.export.keras_files.saved_model import signature_of
from tfopt.backend.stages import ensemble as ensembling
from tfopt.backend.training.evaluate import evaluate
from tfopt.core.config.ensembling import Combine, Ensembling
from tfopt.core.config.model_source import KnownModel, ModelLocation
from tfopt.core.config.training.compile import Compile, Loss
from tfopt.core.config.training.outputs import Outputs
from tfopt.core.contracts.preflight import Workload
from tfopt.errors import StageError

pytestmark = pytest.mark.tf

PROBABILITIES = Outputs("sparse_categorical_crossentropy", are_logits=False)
LOGITS = Outputs("sparse_categorical_crossentropy", are_logits=True)


def heads(combine: Combine, meaning: Outputs = PROBABILITIES) -> tuple[Head, ...]:
    """The single output of a model."""
    return (Head("", meaning, combine),)


@cache
def tiny(seed: int, activation: str) -> tf_keras.Model:
    tf_keras.utils.set_random_seed(seed)
    inputs = tf_keras.Input((8, 8, 1))
    x = tf_keras.layers.Flatten(name="flatten")(tf_keras.layers.MaxPooling2D(name="pool")(inputs))
    return tf_keras.Model(inputs, tf_keras.layers.Dense(10, activation, name="logits")(x))


def side_by_side(models: Sequence[tf_keras.Model]) -> tf_keras.Model:
    """One model with the outputs of several, of which one conversion makes one file."""
    inputs = tf_keras.Input(models[0].input_shape[1:])
    return tf_keras.Model(inputs, [model(inputs) for model in models])


def answers_of_file(models: Sequence[tf_keras.Model], examples: np.ndarray) -> list[np.ndarray]:
    """What each model answers when all are one file."""
    whole = side_by_side(models)
    interpreter = Interpreter(model_content=converter_of(whole).convert())
    run = interpreter.get_signature_runner()
    (signature,) = interpreter.get_signature_list().values()
    (name,) = signature["inputs"]
    found = [run(**{name: one[None]}) for one in examples]
    return [np.concatenate([each[output] for each in found]) for output in signature_of(whole).outputs]


COMBINED = list(itertools.product([[1 / 3] * 3, [0.5, 0.3, 0.2]], ["probabilities", "logits", "vote"]))


@pytest.mark.parametrize("outputs", [PROBABILITIES, LOGITS], ids=["softmax", "from_logits"])
def test_a_file_answers_as_the_members_in_a_file_do_together(outputs: Outputs) -> None:
    members = [tiny(seed, "linear" if outputs.are_logits else "softmax") for seed in range(3)]
    examples = digits().test.inputs[:40]
    joined: list[Any] = [
        ensembling.join(members, weights, heads(combine, outputs), f"joined{index}")
        for index, (weights, combine) in enumerate(COMBINED)
    ]
    answers = answers_of_file([*members, *joined], examples)
    for (weights, combine), found in zip(COMBINED, answers[3:], strict=True):
        wanted = combined_values(np.stack(answers[:3]), weights, combine, outputs)
        tolerance = 1e-4 if outputs.are_logits else 2e-6
        np.testing.assert_allclose(found, wanted, atol=tolerance, err_msg=f"{combine} {weights}")


def test_the_file_of_an_average_is_the_average_of_the_models() -> None:
    members = [small_model(seed=seed) for seed in range(2)]
    examples = digits().test.inputs[:20]
    joined = ensembling.join(members, [0.5, 0.5], heads("probabilities"), "joined")
    (found,) = answers_of_file([joined], examples)
    wanted = np.mean([member(examples, training=False) for member in members], axis=0)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def constant(*probabilities: float) -> tf_keras.Model:
    """Answers the same whatever it is shown."""
    inputs = tf_keras.Input((2,))
    logits = tf_keras.layers.Dense(
        len(probabilities), "softmax", kernel_initializer="zeros",
        bias_initializer=tf_keras.initializers.Constant(np.log(probabilities)), name="classes",
    )(inputs)  # fmt: skip
    return tf_keras.Model(inputs, logits)


VOTES: list[tuple[list[tuple[float, ...]], list[float], int]] = [
    # Two votes beat one, however sure the one is.
    ([(0.5, 0.4, 0.1), (0.5, 0.4, 0.1), (0.0001, 0.9998, 0.0001)], [1 / 3] * 3, 0),
    # One vote each: the sum of probabilities decides,
    ([(0.5, 0.4, 0.1), (0.2, 0.7, 0.1)], [0.5, 0.5], 1),
    ([(0.7, 0.2, 0.1), (0.4, 0.5, 0.1)], [0.5, 0.5], 0),
    # and where it is equal too, the lower class wins.
    ([(0.25, 0.5, 0.25), (0.25, 0.25, 0.5)], [0.5, 0.5], 1),
    # A member's own tie goes to the lower class as well.
    ([(0.4, 0.4, 0.2), (0.4, 0.4, 0.2)], [0.5, 0.5], 0),
    # Weights decide before probabilities; and 0.3 + 0.2 ties with 0.5.
    ([(0.5, 0.4, 0.1), (0.01, 0.98, 0.01)], [0.6, 0.4], 0),
    ([(0.5, 0.3, 0.2), (0.3, 0.5, 0.2), (0.1, 0.8, 0.1)], [0.5, 0.3, 0.2], 1),
]


def test_a_vote_and_its_ties() -> None:
    joined = [
        ensembling.join([constant(*one) for one in members], weights, heads("vote"), f"joined{index}")
        for index, (members, weights, _) in enumerate(VOTES)
    ]
    examples = np.zeros((1, 2), np.float32)
    for answers in (side_by_side(joined)(examples), answers_of_file(joined, examples)):
        for (members, weights, winner), found in zip(VOTES, map(np.asarray, answers), strict=True):
            assert found.argmax() == winner, (members, weights)
            assert found.sum() == pytest.approx(1, abs=1e-5)


def test_how_close_a_vote_can_be() -> None:
    assert smallest_gap([0.25] * 4) == pytest.approx(0.25)
    assert smallest_gap([0.5, 0.3, 0.2]) == pytest.approx(0.1)
    assert smallest_gap([1 / 20] * 20) == pytest.approx(1 / 20)


@pytest.mark.parametrize("combine", ["probabilities", "vote"])
def test_it_goes_through_the_store_and_can_be_joined_again(combine: Any, tmp_path: Path) -> None:
    joined = ensembling.join([small_model(seed=0), small_model(seed=1)], [0.6, 0.4], heads(combine), "joined")
    stage_artifacts.save(joined, tmp_path)
    stored: Any = stage_artifacts.load(tmp_path)
    examples = digits().test.inputs[:8]
    answers = joined.predict(examples, verbose=0)
    np.testing.assert_array_equal(stored.predict(examples, verbose=0), answers)
    names = [layer.name for layer in stored.layers]
    assert len(set(names)) == len(names)
    assert {"conv1", "member2_conv1", "member2_norm"} <= set(names)
    twice = ensembling.join([stored, stored], [0.5, 0.5], heads("probabilities"), "twice")
    np.testing.assert_allclose(twice.predict(examples, verbose=0), answers, atol=1e-6)


def test_weights_are_learned_on_the_validation_split(tmp_path: Path) -> None:
    good, bad = small_model(seed=0), small_model(seed=1)
    good.compile("adam", "sparse_categorical_crossentropy")
    good.fit(digits().train.inputs, digits().train.targets, epochs=2, verbose=0)
    bad.save(tmp_path / "bad.keras")
    where = {"file bad": ModelLocation("file bad", "file", tmp_path / "bad.keras")}
    for combine in ("probabilities", "logits"):
        given = context(tmp_path)
        object.__setattr__(given, "sources", where)
        result = ensembling.ensemble(good, Ensembling(combine=combine, weights="learned"), given)
        assert result.details["members"]["incoming"] > 0.8
        loss = [evaluate(one, digits().validation, Compile())["loss"] for one in (result.model, good)]
        assert loss[0] <= loss[1] + 1e-4


def workload(*models: Any, compile: Compile | None = None, **arguments: Any) -> Workload:
    sources = {f"file {number}": KnownModel(model) for number, model in enumerate(models)}
    return Workload(0, 1, 1, sources=sources, compile=compile or Compile(), **arguments)


def test_what_cannot_be_joined_is_known_before_training() -> None:
    model = small_model()

    def problem(asked: Ensembling, given: Workload) -> str:
        (mistake,) = ensembling.preflight(model, asked, given).problems
        return mistake.message

    assert ensembling.preflight(model, Ensembling(combine="logits"), workload(small_model(seed=1))).problems == ()
    regression = Compile(loss=Loss(name="mse"))
    assert "mse is no loss of a classification" in problem(
        Ensembling(combine="logits"), workload(model, compile=regression)
    )
    assert "no one class out of several" in problem(Ensembling(combine="vote"), workload(model, compile=regression))
    assert "validation split is empty" in problem(Ensembling(weights="learned"), workload(model))
    assert "put qat behind the ensemble" in problem(Ensembling(), workload(model, traits=frozenset({"quantized"})))
    inputs = tf_keras.Input((8, 8, 1))
    odd = tf_keras.Model(inputs, tf_keras.layers.Reshape((10,))(small_model()(inputs)))
    assert "none that applies softmax" in problem(Ensembling(combine="logits"), workload(odd))


TWO = Compile(
    loss={"digit": Loss(name="sparse_categorical_crossentropy"), "ink": Loss(name="mse")},
    metrics={"digit": ("accuracy",), "ink": ("mae",)},
)


def with_ink(seed: int, *, swapped: bool = False) -> tf_keras.Model:
    """A class and a quantity of an image, in one order or the other."""
    tf_keras.utils.set_random_seed(seed)
    inputs = tf_keras.Input((8, 8, 1))
    x = tf_keras.layers.Dense(12, "relu", name="hidden")(tf_keras.layers.Flatten(name="flat")(inputs))
    digit, ink = tf_keras.layers.Dense(10, "softmax", name="digit")(x), tf_keras.layers.Dense(1, name="ink")(x)
    return tf_keras.Model(inputs, [ink, digit] if swapped else [digit, ink])


@pytest.mark.parametrize("combine", ["probabilities", "logits", "vote"])
def test_each_of_several_outputs_is_joined_under_its_name(combine: Combine, tmp_path: Path) -> None:
    model, other = with_ink(0), with_ink(1, swapped=True)
    other.save(tmp_path / "other.keras")
    both = replace(digits(), **{
        name: replace(split, targets={"digit": split.targets, "ink": split.inputs.mean(axis=(1, 2))})
        for name, split in (("train", digits().train), ("validation", digits().validation), ("test", digits().test))
    })  # fmt: skip
    given = replace(context(tmp_path), data=both, compile=TWO)
    where = {"file other": ModelLocation("file other", "file", tmp_path / "other.keras")}
    result = ensembling.ensemble(model, Ensembling(combine=combine, weights="learned"), replace(given, sources=where))

    joined, examples = result.model, digits().test.inputs[:50]
    assert joined.output_names == ["digit", "ink"]
    shares = list(result.details["members"].values())
    assert sum(shares) == pytest.approx(1)
    digit, ink = joined.predict(examples, verbose=0)
    (one, first), (second, two) = model.predict(examples, verbose=0), other.predict(examples, verbose=0)
    np.testing.assert_allclose(ink, shares[0] * first + shares[1] * second, atol=1e-5)
    wanted = heads(combine)[0].values(np.stack([one, two]), shares)
    np.testing.assert_allclose(digit, wanted, atol=1e-5)


def test_members_need_the_outputs_of_the_recipe() -> None:
    swapped = workload(with_ink(1, swapped=True), compile=TWO)
    assert ensembling.preflight(with_ink(0), Ensembling(), swapped).problems == ()
    (mistake,) = ensembling.preflight(with_ink(0), Ensembling(), workload(small_model(), compile=TWO)).problems
    assert "it has none called 'digit'" in mistake.message
    ink = Compile(loss={"digit": None, "ink": Loss(name="mse")}, metrics={"ink": ("mae",)})
    asked = Ensembling(combine="vote")
    (mistake,) = ensembling.preflight(with_ink(0), asked, workload(with_ink(1), compile=ink)).problems
    assert "with mse there is no one class out of several" in mistake.message


def test_a_joined_model_that_answers_otherwise_is_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    joined = small_model(seed=2)
    monkeypatch.setattr(ensembling, "join", lambda *arguments: joined)
    small_model(seed=1).save(tmp_path / "other.keras")
    given = context(tmp_path)
    where = {"file other": ModelLocation("file other", "file", tmp_path / "other.keras")}
    object.__setattr__(given, "sources", where)
    with pytest.raises(StageError, match="differ from those of its members"):
        ensembling.ensemble(small_model(), Ensembling(), given)
