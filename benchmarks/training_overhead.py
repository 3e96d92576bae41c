"""A pruning stage of tfopt against the script of tfmot's pruning guide, doing the same epochs on the same MNIST.

Both start from the same dense weights of the guide's CNN (12 filters, 20,410 parameters) and prune for two epochs to
80 % with batches of 128, validating after each epoch. They run in turns within one process, so that other load on the
machine meets both. What counts is the ratio; below 1 the workbench is faster than what a user would write by hand.

    python benchmarks/training_overhead.py [--repeats 5] [--epochs 2] [--examples 60000]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from time import perf_counter

import tfopt.backend  # noqa: F401  (sets TF_USE_LEGACY_KERAS before TensorFlow is imported)

# isort: split
import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras

from tfopt.backend.data.splits import Data, Split
from tfopt.backend.stages import prune as pruning
from tfopt.core.config.training.compile import Compile, Loss
from tfopt.core.contracts.stage import StageContext
from tfopt.stages.prune import Prune

BATCH_SIZE = 128
COMPILE = Compile(loss=Loss(name="sparse_categorical_crossentropy", from_logits=True))


def load_mnist(examples: int) -> Data:
    """MNIST from beside the checkout, or else through Keras' own cache."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "mnist" / "mnist.npz"
    if beside.exists():
        with np.load(beside) as file:
            (x, y), test = (file["x_train"], file["y_train"]), (file["x_test"], file["y_test"])
    else:
        (x, y), test = tf_keras.datasets.mnist.load_data()
    x, y = x[:examples].astype("float32") / 255, y[:examples].astype("int32")
    kept = round(0.9 * len(x))
    return Data(
        Split(x[:kept], y[:kept]),
        Split(x[kept:], y[kept:]),
        Split(test[0].astype("float32") / 255, test[1].astype("int32")),
        source="mnist",
        num_classes=10,
    )


def guide_model() -> tf_keras.Model:
    """The CNN of the guide."""
    layers = tf_keras.layers
    return tf_keras.Sequential(
        [
            layers.InputLayer(input_shape=(28, 28)),
            layers.Reshape(target_shape=(28, 28, 1)),
            layers.Conv2D(filters=12, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )


def guide(model: tf_keras.Model, data: Data, epochs: int) -> float:
    """The guide's own lines, from wrapping to stripping; returns the seconds they took."""
    images = np.concatenate([data.train.inputs, data.validation.inputs])
    labels = np.concatenate([data.train.targets, data.validation.targets])
    started = perf_counter()
    end_step = int(np.ceil(len(data.train) / BATCH_SIZE)) * epochs
    schedule = tfmot.sparsity.keras.PolynomialDecay(
        initial_sparsity=0.50, final_sparsity=0.80, begin_step=0, end_step=end_step
    )
    model_for_pruning = tfmot.sparsity.keras.prune_low_magnitude(model, pruning_schedule=schedule)
    model_for_pruning.compile(
        optimizer="adam",
        loss=tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model_for_pruning.fit(
        images,
        labels,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        validation_split=len(data.validation) / len(images),
        callbacks=[tfmot.sparsity.keras.UpdatePruningStep()],
        verbose=0,
    )
    tfmot.sparsity.keras.strip_pruning(model_for_pruning)
    return perf_counter() - started


def workbench(model: tf_keras.Model, data: Data, epochs: int) -> float:
    """The same as a stage of a recipe, with checkpoints, events and proof; returns the seconds it took."""
    schedule = {"kind": "polynomial", "initial": 0.5, "final": 0.8, "begin": "0%", "end": "100%", "every": "100 steps"}
    stage = Prune(name="prune", epochs=epochs, schedule=schedule)
    with tempfile.TemporaryDirectory() as folder:
        context = StageContext(
            data=data,
            compile=COMPILE,
            batch_size=BATCH_SIZE,
            seed=0,
            emit=lambda event: None,
            work=Path(folder) / "work",
            logs=Path(folder) / "logs",
        )
        started = perf_counter()
        pruning.prune(model, stage, stage, context)
        return perf_counter() - started


def main() -> None:
    """Prints every pair of times and the ratio of their medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--examples", type=int, default=60_000)
    arguments = parser.parse_args()

    data = load_mnist(arguments.examples)
    dense = guide_model()
    dense.compile("adam", tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    dense.fit(data.train.inputs, data.train.targets, batch_size=BATCH_SIZE, epochs=1, verbose=0)

    ratios = []
    for repeat in range(arguments.repeats):
        seconds = {}
        contenders = [("guide", guide), ("tfopt", workbench)]
        for name, contender in contenders if repeat % 2 else reversed(contenders):
            model = guide_model()
            model.set_weights(dense.get_weights())
            seconds[name] = contender(model, data, arguments.epochs)
        ratios.append(seconds["tfopt"] / seconds["guide"])
        print(f"guide {seconds['guide']:6.2f} s   tfopt {seconds['tfopt']:6.2f} s   ratio {ratios[-1]:.2f}", flush=True)
    print(f"median ratio tfopt / guide over {len(ratios)} pairs: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
