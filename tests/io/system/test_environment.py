from __future__ import annotations

from tfopt.io.system.environment import environment, key_versions


def test_this_environment_is_described_without_importing_it() -> None:
    found = environment()
    assert found.python
    assert found.threads >= 1
    assert found.cpu
    assert set(key_versions()) == {"tensorflow", "tf_keras", "tfmot"}
