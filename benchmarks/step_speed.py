"""Time per training step of tfopt's stages against what a user would write by hand, of five models in one run.

train against `model.fit`, prune against tfmot's `prune_low_magnitude` and `fit`, qat against tfmot's `quantize_model`
and `fit`: the same model, data, batch size and optimizer. All take turns in one process, one epoch each, so that other
load meets all of them; the order changes every round. What counts is the ratio within a round: of wall time, and of the
processor time of the process, which other processes do not add to. The first epochs, in which graphs are made, are left
out. tfopt writes a checkpoint and a history entry in every epoch, and that counts.

    python benchmarks/step_speed.py [--rounds 8] [--steps 40] [--models resnet8 ds_cnn]
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import tempfile
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import tfopt.backend  # noqa: F401  (sets TF_USE_LEGACY_KERAS before TensorFlow is imported)

# isort: split
import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras

from tfopt.backend.data.splits import Data, Split
from tfopt.core.config.training.compile import Compile
from tfopt.core.contracts.stage import StageContext
from tfopt.stages.prune import Prune
from tfopt.stages.qat import Qat
from tfopt.stages.train import Train

BATCH = 32
NOT_COUNTED = 2
"""Epochs at the beginning."""
MODELS = {
    "mnist_cnn": (28, 28, 1),
    "resnet8": (32, 32, 3),
    "ds_cnn": (49, 10, 1),
    "mobilenet_v1_025": (48, 48, 3),
    "mlp": (256,),
}
"""Shape of an example by name in the zoo."""


@dataclass
class Contender:
    """One training that takes turns with others.

    Args:
        name: e.g. `prune, tfmot`.
        train: trains, and calls its argument after every epoch.
        seconds: wall and processor time of each epoch.
    """

    name: str
    train: Callable[[Callable[[], None]], object]
    seconds: list[tuple[float, float]] = field(default_factory=list)
    failure: str = ""


class Turns:
    """Lets one contender run at a time, an epoch each."""

    def __init__(self, contenders: list[Contender], rounds: int) -> None:
        self.contenders, self.rounds = contenders, rounds
        self.may_run = {one.name: threading.Semaphore(0) for one in contenders}
        self.has_run = threading.Semaphore(0)

    def run(self) -> None:
        """All rounds."""
        threads = [threading.Thread(target=self._work, args=(one,), daemon=True) for one in self.contenders]
        for thread in threads:
            thread.start()
        for number in range(self.rounds + 1):  # once more, so that all end
            order = self.contenders if number % 2 else list(reversed(self.contenders))
            for one in order:
                if not one.failure:
                    self.may_run[one.name].release()
                    self.has_run.acquire()
        for thread in threads:
            thread.join(timeout=60)

    def _work(self, one: Contender) -> None:
        self.may_run[one.name].acquire()
        begun = perf_counter(), process_time()

        def after_epoch() -> None:
            nonlocal begun
            one.seconds.append((perf_counter() - begun[0], process_time() - begun[1]))
            self.has_run.release()
            self.may_run[one.name].acquire()
            begun = perf_counter(), process_time()

        try:
            one.train(after_epoch)
        except Exception:  # noqa: BLE001  (a model that tfmot refuses is a result)
            one.failure = traceback.format_exc().strip().splitlines()[-1][:100]
        self.has_run.release()


def model_of(name: str) -> tf_keras.Model:
    """A model of the zoo with the same weights each time."""
    tf_keras.utils.set_random_seed(1)
    return importlib.import_module(f"tfopt.backend.models.zoo.{name}").build(MODELS[name], 10)


def by_hand(name: str, kind: str, data: Data, epochs: int) -> Callable[[Callable[[], None]], object]:
    """What the guides of Keras and tfmot write."""

    def train(after_epoch: Callable[[], None]) -> object:
        model = model_of(name)
        callbacks: list[Any] = [tf_keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: after_epoch())]
        if kind == "prune":
            steps = epochs * len(data.train) // BATCH
            schedule = tfmot.sparsity.keras.PolynomialDecay(0.0, 0.7, 0, steps, frequency=mask_updates(steps))
            model = tfmot.sparsity.keras.prune_low_magnitude(model, pruning_schedule=schedule)
            callbacks.insert(0, tfmot.sparsity.keras.UpdatePruningStep())
        if kind == "qat":
            model = tfmot.quantization.keras.quantize_model(model)
        model.compile(tf_keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", ["accuracy"])
        inputs, targets = data.train.inputs, data.train.targets
        return model.fit(inputs, targets, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=callbacks)

    return train


def by_tfopt(name: str, kind: str, data: Data, epochs: int) -> Callable[[Callable[[], None]], object]:
    """A stage of a recipe."""
    every = f"{mask_updates(epochs * len(data.train) // BATCH)} steps"
    schedule = {"kind": "polynomial", "initial": 0.0, "final": 0.7, "begin": "0%", "end": "100%", "every": every}
    stages = {
        "train": lambda: Train(name="train", epochs=epochs),
        "prune": lambda: Prune(name="prune", epochs=epochs, schedule=schedule),
        "qat": lambda: Qat(name="qat", epochs=epochs, calibration=64),
    }

    def train(after_epoch: Callable[[], None]) -> object:
        with tempfile.TemporaryDirectory() as folder:
            context = StageContext(
                data=data,
                compile=Compile(),
                batch_size=BATCH,
                seed=0,
                emit=lambda event: after_epoch() if event["event"] == "epoch" else None,
                work=Path(folder) / "work",
                logs=Path(folder) / "logs",
            )
            return stages[kind]().apply(model_of(name), context)

    return train


def mask_updates(steps: int) -> int:
    """Steps between two mask updates of a training of so many steps: the same for both, four in all at least."""
    return max(1, min(100, steps // 4))


def examples(name: str, steps: int) -> Data:
    """Random examples: what they are does not change what a step costs."""
    random = np.random.default_rng(0)
    inputs = random.random((steps * BATCH, *MODELS[name]), dtype=np.float32)
    targets = random.integers(0, 10, len(inputs)).astype(np.int32)
    none = Split(inputs[:0], targets[:0])
    return Data(Split(inputs, targets), none, Split(inputs[:BATCH], targets[:BATCH]), source="random", num_classes=10)


def row(kind: str, name: str, contenders: dict[str, Contender], steps: int) -> str:
    """A line of the table."""
    other, own = contenders[f"{kind}, by hand"], contenders[f"{kind}, tfopt"]
    if failure := other.failure or own.failure:
        return f"| {name} | {kind} | {'by hand' if other.failure else 'tfopt'}: {failure} | | | |"
    pairs = list(zip(own.seconds[NOT_COUNTED:], other.seconds[NOT_COUNTED:], strict=False))
    wall = [mine[0] / theirs[0] for mine, theirs in pairs]
    processor = [mine[1] / theirs[1] for mine, theirs in pairs]
    each = statistics.median(theirs[0] for _, theirs in pairs) / steps * 1000
    return (
        f"| {name} | {kind} | {each:.1f} | {statistics.median(wall):.2f} | {statistics.median(processor):.2f} | "
        f"{min(processor):.2f} to {max(processor):.2f} |"
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    arguments = parser.parse_args()
    rounds = arguments.rounds + NOT_COUNTED
    print("| model | stage | by hand, ms per step | wall time, tfopt / by hand | processor time | its range |")
    print("|---|---|---|---|---|---|", flush=True)
    for name in arguments.models:
        data = examples(name, arguments.steps)
        contenders = [
            Contender(f"{kind}, {who}", make(name, kind, data, rounds))
            for kind in ("train", "prune", "qat")
            for who, make in (("by hand", by_hand), ("tfopt", by_tfopt))
        ]
        Turns(contenders, rounds).run()
        by_name = {one.name: one for one in contenders}
        for kind in ("train", "prune", "qat"):
            print(row(kind, name, by_name, arguments.steps), flush=True)
        tf_keras.backend.clear_session()


if __name__ == "__main__":
    main()
