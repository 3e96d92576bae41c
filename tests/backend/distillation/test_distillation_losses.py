"""Every loss against the formula of its paper, written down once more in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tfopt.backend.distillation import feature_losses as features
from tfopt.backend.distillation import response_losses
from tfopt.backend.distillation.outputs import form_of_values, logits, soft_log_probabilities
from tfopt.backend.distillation.ramps import value_at
from tfopt.core.config.ramps import ResolvedChange

pytestmark = pytest.mark.tf

random = np.random.default_rng(0)
STUDENT, TEACHER, OTHER = (random.normal(size=(6, 5)).astype("float32") * 3 for _ in range(3))
LABELS = np.array([0, 3, 4, 1, 1, 2])


def softmax(x: np.ndarray) -> np.ndarray:
    shifted = np.exp(x - x.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def divergence(teacher: np.ndarray, student: np.ndarray) -> np.ndarray:
    return np.sum(teacher * (np.log(teacher) - np.log(student)), axis=-1)


def logs(values: list[np.ndarray], temperature: float, task: str = "classes", shares: tuple[float, ...] = (1.0,)):
    tensors = [tf.constant(one) for one in values]
    return soft_log_probabilities(tensors, shares, tf.constant(temperature), task)


@pytest.mark.parametrize("temperature", [1.0, 4.0, 20.0])
def test_soft_labels_are_the_divergence_times_the_temperature_squared(temperature):
    found = response_losses.soft_labels(
        logs([STUDENT], temperature), logs([TEACHER], temperature), tf.constant(temperature)
    )
    wanted = temperature**2 * divergence(softmax(TEACHER / temperature), softmax(STUDENT / temperature))
    np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=1e-5)


def test_gradients_hardly_depend_on_the_temperature():
    """What the square is for: at high temperatures the gradient is that of the squared difference of logits."""

    def gradient(temperature):
        student = tf.constant(STUDENT)
        with tf.GradientTape() as tape:
            tape.watch(student)
            ours = soft_log_probabilities([student], (1.0,), tf.constant(temperature), "classes")
            loss = response_losses.soft_labels(ours, logs([TEACHER], temperature), tf.constant(temperature))
        return tape.gradient(loss, student).numpy()

    centered = (STUDENT - STUDENT.mean(1, keepdims=True)) - (TEACHER - TEACHER.mean(1, keepdims=True))
    np.testing.assert_allclose(gradient(500.0), centered / 5, atol=0.02)
    assert 0.3 < np.linalg.norm(gradient(2.0)) / np.linalg.norm(gradient(20.0)) < 3


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_yes_or_no_is_a_divergence_of_two(temperature):
    found = response_losses.soft_labels(
        logs([STUDENT], temperature, "binary"), logs([TEACHER], temperature, "binary"), tf.constant(temperature)
    )
    ours, theirs = (1 / (1 + np.exp(-x / temperature)) for x in (STUDENT, TEACHER))
    wanted = divergence(np.stack([theirs, 1 - theirs], -1), np.stack([ours, 1 - ours], -1)) * temperature**2
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-5)


def test_several_teachers_average_their_softened_probabilities():
    found = logs([TEACHER, OTHER], 3.0, shares=(0.25, 0.75))
    wanted = 0.25 * softmax(TEACHER / 3) + 0.75 * softmax(OTHER / 3)
    np.testing.assert_allclose(np.exp(found), wanted, rtol=1e-5)


def test_decoupled():
    temperature = 4.0
    found = response_losses.decoupled(
        logs([STUDENT], temperature),
        logs([TEACHER], temperature),
        tf.constant(LABELS),
        tf.constant(temperature),
        1.5,
        8.0,
    )
    wanted = []
    for student, teacher, label in zip(STUDENT, TEACHER, LABELS, strict=True):
        ours, theirs = softmax(student / temperature), softmax(teacher / temperature)
        of_target = divergence(*(np.array([p[label], 1 - p[label]]) for p in (theirs, ours)))
        rest = [np.delete(x, label) / temperature for x in (teacher, student)]
        wanted.append(temperature**2 * (1.5 * of_target + 8.0 * divergence(*map(softmax, rest))))
    np.testing.assert_allclose(found, wanted, rtol=1e-3)


def test_decoupled_with_the_papers_identity_is_soft_labels():
    """KL = TCKD + (1 - p of the right class) * NCKD: formula 6 of the paper."""
    temperature = 2.0
    ours, theirs = logs([STUDENT], temperature), logs([TEACHER], temperature)
    parts = [
        response_losses.decoupled(ours, theirs, tf.constant(LABELS), tf.constant(temperature), *weights).numpy()
        for weights in ((1.0, 0.0), (0.0, 1.0))
    ]
    rest = 1 - softmax(TEACHER / temperature)[np.arange(6), LABELS]
    whole = response_losses.soft_labels(ours, theirs, tf.constant(temperature))
    np.testing.assert_allclose(parts[0] + rest * parts[1], whole, rtol=1e-3, atol=1e-5)


def test_probabilities_become_logits_again():
    assert np.exp(logits(tf.constant(softmax(TEACHER)), "probabilities", "classes")) == pytest.approx(softmax(TEACHER))
    sure = logits(tf.constant([[0.0, 1.0]]), "probabilities", "classes").numpy()
    assert np.isfinite(sure).all()
    yes = logits(tf.constant([0.0, 0.25, 1.0]), "probabilities", "binary").numpy()
    assert yes[1] == pytest.approx(np.log(1 / 3), rel=1e-5)
    assert np.isfinite(yes).all()
    np.testing.assert_allclose(
        response_losses.centered(tf.constant(TEACHER)), TEACHER - TEACHER.mean(1, keepdims=True), atol=1e-6
    )


def test_the_form_of_a_files_answers_shows_in_them():
    rounded = np.round(softmax(TEACHER) * 256) / 256
    assert form_of_values(rounded, "classes") == "probabilities"
    assert form_of_values(TEACHER, "classes") == "logits"
    assert form_of_values(np.array([[0.1], [0.9]]), "binary") == "probabilities"
    assert form_of_values(np.array([[-2.0], [3.0]]), "binary") == "logits"


def test_squared_differences():
    found = response_losses.squared_difference(tf.constant(STUDENT), tf.constant(TEACHER))
    np.testing.assert_allclose(found, np.mean((STUDENT - TEACHER) ** 2, axis=1), rtol=1e-5)
    found = features.mean_squared(tf.constant(STUDENT), tf.constant(TEACHER))
    np.testing.assert_allclose(found, np.mean((STUDENT - TEACHER) ** 2), rtol=1e-5)


def test_attention_transfer():
    student, teacher = random.normal(size=(4, 3, 3, 5)), random.normal(size=(4, 3, 3, 9))
    found = features.attention_transfer(tf.constant(student, tf.float32), tf.constant(teacher, tf.float32))

    def attention(x):
        strength = np.sum(x**2, axis=-1).reshape(len(x), -1)
        return strength / np.linalg.norm(strength, axis=1, keepdims=True)

    wanted = np.mean(np.sum((attention(student) - attention(teacher)) ** 2, axis=1))
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


@pytest.mark.parametrize(("distance", "angle"), [(25.0, 0.0), (0.0, 50.0), (1.0, 2.0)])
def test_relational(distance, angle):
    student, teacher = random.normal(size=(5, 4)), random.normal(size=(5, 2, 3))
    found = features.relational(tf.constant(student, tf.float32), tf.constant(teacher, tf.float32), distance, angle)

    def huber(x):
        return np.mean(np.where(np.abs(x) < 1, x**2 / 2, np.abs(x) - 0.5))

    def distances(x):
        between = np.array([[np.linalg.norm(a - b) for b in x] for a in x])
        return between / between[between > 0].mean()

    def angles(x):
        def cosine(a, b):
            return 0.0 if not a.any() or not b.any() else a @ b / np.linalg.norm(a) / np.linalg.norm(b)

        return np.array([[[cosine(j - i, k - i) for k in x] for j in x] for i in x])

    flat = teacher.reshape(5, 6)
    wanted = distance * huber(distances(student) - distances(flat)) + angle * huber(angles(student) - angles(flat))
    np.testing.assert_allclose(found, wanted, rtol=1e-3)


def test_equal_examples_have_a_gradient_too():
    student = tf.Variable(tf.ones([3, 4]))
    with tf.GradientTape() as tape:
        loss = features.relational(student, tf.constant(random.normal(size=(3, 4)), tf.float32), 1.0, 1.0)
    assert np.isfinite(tape.gradient(loss, student)).all()


@pytest.mark.parametrize("kind", ["linear", "cosine"])
def test_a_change_in_the_graph_is_the_one_that_was_planned(kind):
    change = ResolvedChange(kind, 8.0, 2.0, 10, 30)
    for step in (0, 10, 17, 30, 50):
        assert float(value_at(change, tf.constant(step))) == pytest.approx(change.at(step), rel=1e-5)
