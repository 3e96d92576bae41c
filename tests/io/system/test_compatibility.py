from __future__ import annotations

import json
from pathlib import Path

import pytest

from tfopt.core.records.report import Environment
from tfopt.io.system.compatibility import mismatches, missing, read_keras_settings
from tfopt.io.system.environment import environment

GOOD = Environment(
    python="3.11.7",
    tensorflow="2.21.0",
    tf_keras="2.21.0",
    keras="3.15.1",
    tfmot="0.8.1",
    litert="2.3.0",
    tfopt="0.1.0",
)


def found(environment: Environment = GOOD, **more: object) -> list[str]:
    given: dict[str, object] = {
        "variables": {},
        "installed": lambda package: "",
        "required": lambda package: [],
        "has_distutils": True,
        "keras_settings": {},
    }
    return mismatches(environment, **(given | more))  # type: ignore[arg-type]


def test_versions_that_fit_give_no_advice() -> None:
    assert found() == []


def test_this_environment_works() -> None:
    assert mismatches(environment(), {}) == []


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"tf_keras": ""}, "tf-keras is not installed: pip install tf-keras"),
        ({"litert": ""}, "ai-edge-litert is not installed: pip install ai-edge-litert"),
        ({"tf_keras": "2.19.0"}, "pip install 'tf-keras==2.21.*'"),
        ({"tensorflow": "2.21.0", "tf_keras": "2.21.1"}, None),
        ({"tensorflow": "2.15.1", "tf_keras": "2.15.0"}, "pip install 'tensorflow>=2.20'"),
        ({"tfmot": "0.7.5"}, "pip install 'tensorflow-model-optimization>=0.8.1'"),
        ({"litert": "1.4.0"}, "pip install 'ai-edge-litert>=2.1'"),
        ({"keras": "2.15.0"}, "pip install 'keras>=3.10'"),
        ({"python": "3.14.1"}, "Python 3.14.1 is not supported"),
        ({"python": "3.9.18"}, "with 3.10 to 3.13"),
    ],
)
def test_each_version_that_does_not_fit_comes_with_its_fix(change: dict[str, str], advice: str | None) -> None:
    wrong = found(GOOD.model_copy(update=change))
    assert len(wrong) == (advice is not None)
    assert advice is None or advice in wrong[0]


@pytest.mark.parametrize(
    ("variables", "advice"),
    [
        ({"TF_USE_LEGACY_KERAS": "0"}, "unset TF_USE_LEGACY_KERAS"),
        ({"TF_USE_LEGACY_KERAS": "True"}, None),
        ({"KERAS_BACKEND": "jax"}, "export KERAS_BACKEND=tensorflow"),
        ({"KERAS_BACKEND": "tensorflow"}, None),
    ],
)
def test_each_variable_that_misleads_is_named(variables: dict[str, str], advice: str | None) -> None:
    wrong = found(variables=variables)
    assert len(wrong) == (advice is not None)
    assert advice is None or advice in wrong[0]


def test_numpy_and_protobuf_are_held_against_what_tensorflow_asks_for() -> None:
    required = ["numpy>=1.26.0", "protobuf<8.0.0,>=6.31.1", "gast!=0.5.0", 'nvidia-nccl-cu12<3; extra == "and-cuda"']
    versions = {"numpy": "2.4.6", "protobuf": "4.25.3", "gast": "0.5.0"}
    (wrong,) = found(required=lambda package: required, installed=lambda package: versions.get(package, ""))
    assert wrong == ("protobuf 4.25.3 does not fit tensorflow 2.21.0: pip install 'protobuf<8.0.0,>=6.31.1'")
    assert found(required=lambda package: required, installed=lambda package: "7.36.2" * (package == "protobuf")) == []


def test_python_3_12_needs_setuptools_for_tfmot() -> None:
    (wrong,) = found(GOOD.model_copy(update={"python": "3.12.1"}), has_distutils=False)
    assert "imports distutils" in wrong
    assert wrong.endswith("pip install setuptools")


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ({"backend": "torch"}, "keras.json chooses the backend torch"),
        ({"backend": "tensorflow", "image_data_format": "channels_last"}, None),
        ({"image_data_format": "channels_first"}, '"image_data_format": "channels_last"'),
    ],
)
def test_keras_json_can_mislead_too(settings: dict[str, str], advice: str | None, tmp_path: Path) -> None:
    (tmp_path / "keras.json").write_text(json.dumps(settings), encoding="utf-8")
    wrong = found(variables={"KERAS_HOME": str(tmp_path)}, keras_settings=None)
    assert len(wrong) == (advice is not None)
    assert advice is None or advice in wrong[0]
    # The variable wins over the file.
    assert found(variables={"KERAS_BACKEND": "tensorflow"}, keras_settings={"backend": "jax"}) == []


def test_a_broken_keras_json_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "keras.json").write_text("{", encoding="utf-8")
    assert read_keras_settings({"KERAS_HOME": str(tmp_path)}) == {}


def test_what_is_missing_is_told_apart_from_what_is_old() -> None:
    assert missing(GOOD.model_copy(update={"tfmot": "0.1"})) == []
    assert len(missing(Environment())) == 5
