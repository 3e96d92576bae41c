"""The names that a recipe is checked against are those of the installed tf_keras."""

from __future__ import annotations

import inspect

import pytest

from tfopt.core.config.training.keras_names import APPLICATIONS

pytestmark = pytest.mark.tf


def test_every_application_is_known() -> None:
    from tf_keras import applications

    assert sorted(name for name, value in vars(applications).items() if inspect.isfunction(value)) == sorted(
        APPLICATIONS
    )
