"""The room of `.tflite` files works where TensorFlow is not installed."""

from __future__ import annotations

import json
import subprocess
import sys

_IMPORT_ALL = """
import importlib, json, pkgutil, sys
import tfopt.backend.tflite as room
for module in pkgutil.iter_modules(room.__path__):
    importlib.import_module(f"{room.__name__}.{module.name}")
names = ("tensorflow", "tf_keras", "keras", "tensorflow_model_optimization")
imported = sorted(name for name in sys.modules if name.startswith(room.__name__))
print(json.dumps([[name for name in names if name in sys.modules], imported]))
"""


def test_no_module_imports_tensorflow() -> None:
    done = subprocess.run([sys.executable, "-c", _IMPORT_ALL], capture_output=True, text=True, check=True)
    heavy, imported = json.loads(done.stdout.splitlines()[-1])
    assert heavy == []
    assert len(imported) > 5
