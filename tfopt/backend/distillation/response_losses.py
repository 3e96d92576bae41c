"""Losses between the outputs of student and teacher, for each example (and position, in a sequence)."""

from __future__ import annotations

import tensorflow as tf

_FAR = -1e9


def soft_labels(student: tf.Tensor, teacher: tf.Tensor, temperature: tf.Tensor) -> tf.Tensor:
    """Kullback-Leibler divergence of the student from the teacher, times the temperature squared.

    Hinton, Vinyals and Dean 2015, arXiv:1503.02531: gradients of softened outputs shrink with the square of the
    temperature; multiplied by it, they have the same weight relative to those of the labels at every temperature.

    Args:
        student: logarithms of probabilities at the temperature, (batch, ..., classes).
        teacher: the same of the teacher.
        temperature: a number.

    Returns:
        (batch, ...).
    """
    return temperature**2 * tf.reduce_sum(tf.exp(teacher) * (teacher - student), axis=-1)


def decoupled(
    student: tf.Tensor, teacher: tf.Tensor, labels: tf.Tensor, temperature: tf.Tensor, target: float, others: float
) -> tf.Tensor:
    """Decoupled distillation (Zhao et al. 2022, arXiv:2203.08679), times the temperature squared.

    Args:
        student: logarithms of probabilities at the temperature, (batch, ..., classes).
        teacher: the same of the teacher.
        labels: the right class, (batch, ...).
        temperature: a number.
        target: weight of the divergence between (right, any other).
        others: weight of the divergence among the other classes.

    Returns:
        (batch, ...).
    """
    right = tf.one_hot(labels, student.shape[-1], on_value=True, off_value=False, dtype=tf.bool)
    of_target = _divergence(_right_or_not(student, right), _right_or_not(teacher, right))
    of_others = _divergence(_among_others(student, right), _among_others(teacher, right))
    return temperature**2 * (target * of_target + others * of_others)


def squared_difference(student: tf.Tensor, teacher: tf.Tensor) -> tf.Tensor:
    """Mean over the last axis: of logits (Ba and Caruana 2014, arXiv:1312.6184), or of quantities.

    Returns:
        (batch, ...).
    """
    return tf.reduce_mean(tf.math.squared_difference(student, teacher), axis=-1)


def centered(logits: tf.Tensor) -> tf.Tensor:
    """Logits less their mean over the classes: those behind a softmax are known only up to a constant."""
    return logits - tf.reduce_mean(logits, axis=-1, keepdims=True)


def _divergence(student: tf.Tensor, teacher: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.exp(teacher) * (teacher - student), axis=-1)


def _right_or_not(logs: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    of_right = tf.reduce_logsumexp(tf.where(right, logs, _FAR), axis=-1)
    return tf.stack([of_right, tf.reduce_logsumexp(tf.where(right, _FAR, logs), axis=-1)], axis=-1)


def _among_others(logs: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    return tf.nn.log_softmax(tf.where(right, _FAR, logs))
