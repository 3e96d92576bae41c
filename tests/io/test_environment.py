from __future__ import annotations

import pytest

from tfopt.core.records import Environment
from tfopt.io.environment import environment, key_versions, mismatches

GOOD = Environment(
    python="3.11.7",
    tensorflow="2.21.0",
    tf_keras="2.21.0",
    keras="3.15.1",
    tfmot="0.8.1",
    litert="2.3.0",
    tfopt="0.1.0",
)


def test_this_environment_is_described_without_importing_it() -> None:
    found = environment()
    assert found.python
    assert found.threads >= 1
    assert found.cpu
    assert set(key_versions()) == {"tensorflow", "tf_keras", "tfmot"}


def test_versions_that_fit_give_no_advice() -> None:
    assert mismatches(GOOD, {}) == []


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"tf_keras": ""}, "tf-keras is not installed: pip install tf-keras"),
        ({"tf_keras": "2.19.0"}, "pip install 'tf-keras==2.21.*'"),
        ({"tfmot": "0.7.5"}, "tensorflow-model-optimization>=0.8.1"),
        ({"keras": "2.15.0"}, "pip install 'keras>=3.10'"),
    ],
)
def test_each_mismatch_comes_with_its_fix(change: dict[str, str], advice: str) -> None:
    (found,) = mismatches(GOOD.model_copy(update=change), {})
    assert advice in found


def test_a_variable_that_turns_keras_2_off_is_named() -> None:
    (found,) = mismatches(GOOD, {"TF_USE_LEGACY_KERAS": "0"})
    assert "unset TF_USE_LEGACY_KERAS" in found
