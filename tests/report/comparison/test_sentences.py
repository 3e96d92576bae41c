"""What a comparison says about differences."""

from __future__ import annotations

from tests.core.sweeps.test_comparison import with_accuracies
from tfopt.report.comparison.sentences import verdict_sentences


def test_verdicts_name_the_test_and_whether_it_is_noise() -> None:
    (noise,) = verdict_sentences(with_accuracies([0.97, 0.98, 0.99], [0.98, 0.97, 0.985]))
    assert "constant (-0.17 points, p = 0.81) is not shown to differ by more than the seeds' noise." in noise
    assert noise.endswith("Two-sided paired t-test over 3 common seeds. So few seeds can only show large differences.")
    (real,) = verdict_sentences(with_accuracies([0.970, 0.980, 0.990], [0.940, 0.951, 0.959]))
    assert "is worse by more than the seeds' noise" in real
    (single,) = verdict_sentences(with_accuracies([0.97], [0.5]))
    assert "is not known: one seed shows no noise; add seeds (--seeds 3)" in single
    (equal,) = verdict_sentences(with_accuracies([0.75, 0.5], [0.5, 0.25]))
    assert "the difference is the same for every seed" in equal
