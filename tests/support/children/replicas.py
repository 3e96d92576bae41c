"""A chain of stages on 1, 2 and 4 logical devices, in a child process: TensorFlow divides the processor only once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.quick_tensorflow import ONE_THREAD
from tests.support.root import REPOSITORY

Arrays = Mapping[str, np.ndarray]
Epoch = Mapping[str, float]

EXAMPLES, BATCH = 183, 60
"""The last batch of an epoch has 3 examples: fewer than 4 replicas."""

STAGES = {
    "train": {"epochs": 2},
    "half": {"epochs": 1},
    "prune": {"epochs": 2, "schedule": {"kind": "polynomial", "final": "60%", "begin": "1 steps", "every": "2 steps"}},
    "taylor": {"epochs": 2, "schedule": {"kind": "constant", "final": "60%"}, "criterion": "taylor"},
    "cluster": {"epochs": 1, "clusters": 8},
    "qat": {"epochs": 1, "calibration": 64},
}


def run_chain(devices: Sequence[int], stages: Sequence[str], folder: Path) -> dict[int, tuple[Arrays, list[Epoch]]]:
    """Weights (and ranges) after each stage, and the history, by the number of devices; computed in a child process."""
    command = [sys.executable, "-m", __name__, str(folder), ",".join(stages), *map(str, devices)]
    ended = subprocess.run(command, cwd=REPOSITORY, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    found = {}
    for n in devices:
        with np.load(folder / f"{n}.npz") as file:
            found[n] = ({key: file[key] for key in file.files}, json.loads((folder / f"{n}.json").read_text()))
    return found


def chain(devices: Sequence[int], stages: Sequence[str], folder: Path) -> None:
    """Runs the chain on some numbers of devices; writes weights, ranges and history of each."""
    from dataclasses import replace

    from tests.support.contexts import Log, context
    from tests.support.digits import digits
    from tests.support.models import small_model
    from tfopt.backend.devices import strategies
    from tfopt.core.config.training.compile import Compile
    from tfopt.core.config.training.distribution import Distribution
    from tfopt.core.contracts.stage import next_traits
    from tfopt.engine import distribution
    from tfopt.stages.cluster import Cluster
    from tfopt.stages.prune import Prune
    from tfopt.stages.qat import Qat
    from tfopt.stages.train import Train

    classes = {"train": Train, "half": Train, "prune": Prune, "taylor": Prune, "cluster": Cluster, "qat": Qat}
    asked = {n: Distribution(strategy="mirrored", device="cpu", devices=n) for n in devices}
    strategies.start(asked[max(devices)])
    compile = Compile.model_validate({"optimizer": {"name": "sgd", "learning_rate": 0.05, "clipnorm": 1.0}})
    for n in devices:
        if n > 1:
            check_ranges(strategies.strategy(asked[n]))
        model, traits, log = small_model(), frozenset(), Log()
        arrays = {}
        for kind in stages:
            stage = classes[kind].model_validate({"name": kind, **STAGES[kind]})
            stage_context = context(
                folder / f"{n}_{kind}",
                log,
                data=weighted(digits(EXAMPLES)) if kind in ("train", "prune") else digits(EXAMPLES),
                compile=compile,
                batch_size=BATCH,
                traits=traits,
            )
            if kind == "half":
                stage_context = replace(stage_context, precision="mixed_float16")
            result = distribution.apply(stage, model, stage_context, asked[n])
            if kind == "half":
                assert result.details["precision"]["share"] > 0.9, result.details
            model, traits = result.model, next_traits(stage, traits)
            inner = model.model if kind == "qat" else model
            arrays |= {f"{kind}/{index}": variable.numpy() for index, variable in enumerate(inner.variables)}
        np.savez(folder / f"{n}.npz", **arrays)
        (folder / f"{n}.json").write_text(json.dumps(log.of("epoch")))


def weighted(data: Any) -> Any:
    """Examples that count 0, 1 and 2 times in turns."""

    def of(split: Any) -> Any:
        return replace(split, weights=np.arange(len(split), dtype=np.float32) % 3)

    return replace(data, train=of(data.train), validation=of(data.validation), test=of(data.test))


def check_ranges(strategy: Any) -> None:
    """Checks that a range covers a batch whose smallest and largest value are on different replicas."""
    import tensorflow as tf

    from tfopt.backend.devices import replicas
    from tfopt.backend.quantization.quantizers import InputQuantizer

    batch = tf.reshape(tf.linspace(-4.0, 6.0, BATCH), (BATCH, 1))
    with strategy.scope():
        ranges = {"min_var": tf.Variable(0.0, trainable=False), "max_var": tf.Variable(0.0, trainable=False)}

    @tf.function
    def run() -> None:
        strategy.run(lambda: InputQuantizer()(replicas.own_part(batch).batch, True, ranges))

    run()
    assert [float(value.numpy()) for value in ranges.values()] == [-4.0, 6.0]


if __name__ == "__main__":
    from tests.support.quick_tensorflow import optimize_graphs

    optimize_graphs(on=False)
    chain([int(n) for n in sys.argv[3:]], sys.argv[2].split(","), Path(sys.argv[1]))
