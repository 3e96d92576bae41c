"""One model through everything: Keras 3 -> tf_keras -> prune -> Keras 3, and -> qat -> int8 file.

Used by `keras_layers.py` and `keras_applications.py`. Each step ends in a sentence: `ok`, or a
named error of tfopt; any other exception is reported as a bug.
"""

from __future__ import annotations

import json
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import tfopt.backend  # noqa: F401  (sets TF_USE_LEGACY_KERAS before TensorFlow is imported)

# isort: split
import numpy as np
import tensorflow as tf

from tfopt import bridge
from tfopt.backend import quantization
from tfopt.backend.audit.tflite import audit_tflite
from tfopt.backend.data.batches import evaluation_batches
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.export import tflite
from tfopt.backend.export.convert import convert_one
from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.graph.not_convertible import layers_not_convertible
from tfopt.backend.graph.sparsity import sparsity
from tfopt.backend.pruning.plan import preflight as pruning_preflight
from tfopt.backend.quantization.preflight import preflight as qat_preflight
from tfopt.backend.quantization.weight_constraints import WeightConstraints
from tfopt.backend.stages.prune import prune
from tfopt.backend.tflite.predict import predict
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.quantization import Quantization
from tfopt.core.config.training.compile import Compile
from tfopt.core.contracts.preflight import Workload
from tfopt.core.contracts.stage import StageContext
from tfopt.errors import TfoptError
from tfopt.stages.prune import Prune

EXAMPLES = 16
NOISE = 1e-4
"""Difference of outputs, relative to their size, that the order of additions explains."""
COARSE = 0.2
"""Difference between an int8 file and its model, relative to the range of the outputs, that is reported."""


OPTIMIZER = {"name": "sgd", "learning_rate": 1e-5, "clipvalue": 1.0}
"""Of the pruned model. Not clipped, a ResNet50 with random weights returns NaN after two steps on random images."""


@dataclass
class Journey:
    """The result of one model.

    Args:
        name: of the model.
        steps: outcome of each step: `bridge`, `prune`, `keras`, `qat`, `int8`.
        numbers: differences, sizes, seconds by name.
        planned: the preflight of qat for the layers that it does not simulate, by layer name.
        float_operators: float operators in the int8 file, and how many.
        float_layers: the layers they belong to.
        traces: tracebacks of bugs, by step.
        partial: file that is written after every step, for the case that the process crashes.
    """

    name: str
    steps: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    planned: dict[str, str] = field(default_factory=dict)
    float_operators: dict[str, int] = field(default_factory=dict)
    float_layers: list[str] = field(default_factory=list)
    traces: dict[str, str] = field(default_factory=dict)
    partial: Path | None = None

    def step(self, name: str, action: Callable[[], str]) -> None:
        """Carries out a step, and writes down what it ended in."""
        start = time.perf_counter()
        try:
            self.steps[name] = action()
        except TfoptError as error:
            self.steps[name] = f"error: {_first_line(error)}"
        except Exception as error:  # noqa: BLE001  (a table of outcomes must have a row for bugs as well)
            self.steps[name] = f"BUG {type(error).__name__}: {_first_line(error)}"
            self.traces[name] = traceback.format_exc()
        self.numbers[f"{name}_seconds"] = round(time.perf_counter() - start, 1)
        if self.partial is not None:
            self.write(self.partial)

    def write(self, file: Path) -> None:
        """As JSON; a file that is there is complete."""
        part = file.with_suffix(".part")
        content = {key: value for key, value in asdict(self).items() if key != "partial"}
        part.write_text(json.dumps(content, indent=1), encoding="utf-8")
        part.replace(file)


def travel(name: str, model: Any, inputs: Any, batch_size: int = 8, partial: Path | None = None) -> Journey:
    """Takes a Keras 3 model through all steps.

    Args:
        name: what the table calls it.
        model: built, with one output.
        inputs: `EXAMPLES` examples or fewer: an array, or arrays by input name.
        batch_size: examples per training step.
        partial: file for what is known after each step.
    """
    journey = Journey(name, partial=partial)
    try:
        expected = np.asarray(model(_as_inputs(inputs, model.inputs), training=False))
    except Exception as error:  # noqa: BLE001  (what Keras itself cannot run has a row, too)
        journey.steps["bridge"] = f"Keras itself refuses: {type(error).__name__}: {_first_line(error)}"
        return journey
    found: dict[str, Any] = {}

    def bridged() -> str:
        found["twin"] = bridge.to_tf_keras(model)
        outputs = np.asarray(found["twin"](_as_inputs(inputs, found["twin"].inputs), training=False))
        return _compared(journey, "bridge_difference", expected, outputs)

    journey.step("bridge", bridged)
    if "twin" not in found:
        return journey
    twin = found["twin"]
    by_name = inputs if isinstance(inputs, dict) else {twin.input_names[0]: inputs}
    data = _data(by_name if len(twin.inputs) > 1 else inputs, expected)

    def pruned() -> str:
        stage = Prune(name="prune", epochs=1, schedule={"kind": "one_shot", "final": 0.5})
        steps = -(-len(data.train) // batch_size)
        ahead = pruning_preflight(twin, stage, Workload(steps, steps, len(data.train)))
        if ahead.problems:
            return f"error: {ahead.problems[0].message}"
        with tempfile.TemporaryDirectory() as folder:
            context = StageContext(
                data=data, compile=Compile(optimizer=OPTIMIZER, loss="mean_squared_error"),
                batch_size=batch_size, seed=1, emit=lambda event: None, work=Path(folder), logs=Path(folder, "logs"),
            )  # fmt: skip
            found["pruned"] = prune(bridge.to_tf_keras(model), stage, stage, context).model
        journey.numbers["sparsity"] = float(sparsity(found["pruned"]))
        return f"ok, {len(ahead.schedules)} layer{'s' if len(ahead.schedules) > 1 else ''} to 50%"

    journey.step("prune", pruned)

    def back() -> str:
        import keras

        source = found.get("pruned", twin)
        outputs = np.asarray(source(_as_inputs(inputs, source.inputs), training=False))
        again = bridge.to_keras(source)
        with tempfile.TemporaryDirectory() as folder:
            again.save(Path(folder) / "model.keras")
            loaded = keras.models.load_model(Path(folder) / "model.keras")
        return _compared(
            journey, "keras_difference", outputs, np.asarray(loaded(_as_inputs(inputs, loaded.inputs), training=False))
        )

    journey.step("keras", back)

    def trained_for_8_bits() -> str:
        planned = quantization.layer_treatments(twin, Quantization())
        journey.planned = {layer: how for layer, how in planned.items() if not how.startswith(("simulated", "fused"))}
        problems = qat_preflight(twin, Quantization(), Workload(2, 2, len(data.train))).problems
        if problems:
            return f"error: {problems[0].message}"
        found["quantized"] = _quantized(twin, data, batch_size)
        simulated = found["quantized"].model
        rounded = np.asarray(simulated(_as_inputs(inputs, simulated.inputs), training=False))
        journey.numbers["qat_difference"] = float(np.max(np.abs(rounded - expected))) / (float(np.ptp(expected)) or 1.0)
        return "ok" if not journey.planned else f"ok, but {len(journey.planned)} not simulated"

    journey.step("qat", trained_for_8_bits)
    journey.step("int8", lambda: _int8(journey, found.get("quantized"), twin, data))
    return journey


def _quantized(model: Any, data: Data, batch_size: int) -> Any:
    """What the qat stage makes of a model, without its training steps."""
    from tfopt.backend.quantization.calibration import calibrate
    from tfopt.backend.quantization.canonical import canonicalize
    from tfopt.backend.quantization.float_fallback import original_float_layers
    from tfopt.backend.quantization.quantized import Quantized
    from tfopt.backend.quantization.wrapping import strip, wrap

    preserve = WeightConstraints.of(frozenset())
    canonical = canonicalize(model)
    wrapped = wrap(canonical, Quantization(), preserve)
    calibrate(wrapped, (inputs for inputs, _ in evaluation_batches(data.train, batch_size)))
    floats = original_float_layers(canonical)
    return Quantized(wrapped, strip(wrapped, canonical), Quantization(), preserve, canonical.original_names, floats)


def _int8(journey: Journey, quantized: Any, twin: Any, data: Data) -> str:
    """Converts as the export does, audits the file, runs it, and compares its outputs with the model's."""
    refused = layers_not_convertible(twin)
    if refused:
        return f"error before training: {'; '.join(refused.values())}"
    if quantized is None and (deadly := quantization.uncalibratable_layers(twin)):
        return f"error before training: {', '.join(deadly)} runs as a loop, which needs a qat stage to become int8"
    source = twin if quantized is None else quantized.model
    ports = saved_model.signature_of(twin)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        saved_model.write_saved_model(source, ports, work / "model", 1 if saved_model.needs_fixed_batch(twin) else None)
        calibration = {}
        named = saved_model.named_inputs(data.train.inputs, twin, ports)
        for port, values in named.items():
            np.save(work / f"{port}.npy", values)
            calibration[port] = str(work / f"{port}.npy")
        file = work / "model.tflite"
        try:
            file.write_bytes(convert_one(str(work / "model"), Variant(quantize="int8"), calibration))
        except Exception as error:  # noqa: BLE001  (the export reports this by name: "the converter refused it")
            return f"error: the converter refused it: {_first_line(error)}"
        journey.numbers["bytes"] = file.stat().st_size
        audit = audit_tflite(file, tflite.layer_names(twin))
        journey.float_operators, journey.float_layers = dict(audit.float_operators), list(audit.float_layers)
        try:
            outputs, _, _ = predict(str(file), named, 1, "default")
        except (RuntimeError, ValueError) as error:
            return f"error: LiteRT cannot run the file: {_first_line(error)}"
    (found,) = outputs.values()
    expected = np.asarray(source(_as_inputs(data.train.inputs, source.inputs), training=False))
    spread = float(np.ptp(expected)) or 1.0
    journey.numbers["int8_difference"] = float(np.max(np.abs(found - expected))) / spread
    kind = "" if quantized is not None else "after training only; "
    floats = ", ".join(f"{number} {name}" for name, number in journey.float_operators.items())
    unplanned = _silent(journey)
    if journey.numbers["int8_difference"] > COARSE:
        kind = f"INACCURATE by {journey.numbers['int8_difference']:.0%} of the range; {kind}"
    if unplanned:
        return f"SILENT FLOAT: {kind}{floats} in {', '.join(unplanned)}"
    return f"{kind}float by decision: {floats}" if floats else f"{kind}ok"


def _silent(journey: Journey) -> list[str]:
    """Layers with float operators that nobody announced; an operator without a layer counts as `?`."""
    if not journey.float_operators:
        return []
    named = {layer for layer, how in journey.planned.items() if how.startswith("float")}
    unplanned = [layer for layer in journey.float_layers if layer not in named]
    return unplanned if journey.float_layers or named else ["?"]


def _data(inputs: Any, outputs: np.ndarray) -> Data:
    targets = np.zeros(outputs.shape, np.float32)
    split = Split(inputs, targets)
    return Data(split, split, split, source="random")


def _as_inputs(inputs: Any, ports: Any) -> Any:
    """Examples as a model is called with them."""
    tensors = tf.nest.map_structure(tf.convert_to_tensor, inputs)
    return list(tensors.values()) if isinstance(tensors, dict) and len(ports) > 1 else tensors


def _compared(journey: Journey, name: str, expected: np.ndarray, outputs: np.ndarray) -> str:
    difference = float(np.max(np.abs(expected - outputs))) if expected.size else 0.0
    share = difference / max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    journey.numbers[name] = share
    close = share <= NOISE
    return "ok" if close else f"DIFFERENT by {difference:.2g}"


def _first_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
