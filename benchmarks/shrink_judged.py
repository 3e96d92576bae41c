"""Is a shrunk network better than a narrower one trained from scratch, than random removal, and than zeros?

    python benchmarks/shrink_judged.py [CASE...] [--seeds 0 1 2] [--shares 0.6 0.4 0.25] [--of macs latency]
                                       [--methods shrink random scratch zeros] [--page docs/measurements.md]

| case | network and data |
|---|---|
| `ds_cnn` | DS-CNN on spoken digits (recipe spoken_digits_ds_cnn_qat: a voice never heard); SPOKEN_DIGITS=FOLDER |
| `resnet8` | ResNet-8 on 4,000 images of CIFAR-10 (recipe cifar10_resnet8_shrink_qat) |
| `resnet20` | ResNet-20 on the same images |
| `transformer` | two blocks on CLINC150 (recipe clinc150_transformer_prune_qat); CLINC150=FOLDER |

For each seed, the dense network is trained once. At each share of its multiply-accumulates, or of its latency (float32
file, timed in turns with the dense one):

| method | what it is |
|---|---|
| `longer` | the stage with nothing removed: what more epochs with a teacher give the dense network |
| `shrink` | the stage with its defaults: criterion taylor, allocation global, the dense model as teacher; divisor 4 |
| `random` | as many units of each group as `shrink` keeps, drawn at random, recovered and trained in the same way |
| `scratch` | the widest network of the same kind within the share, trained for the epochs of both stages together |
| `zeros` | unstructured pruning to as many weights that are not zero as `shrink` leaves; its MACs and latency stay |

All are judged on the test split, as Keras models. Results are kept as JSON in `--out`: a call that was stopped goes on.
With `--page`, the table between the comments `shrink_judged` is replaced.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(Path(__file__).parent)]

import numpy as np  # noqa: E402
import tf_keras  # noqa: E402
from measurements import replaced, table  # noqa: E402
from shrink_judged_table import LONGER, rows  # noqa: E402

import tfopt  # noqa: E402
from tfopt.backend.data.load import load  # noqa: E402
from tfopt.backend.graph.kernels import prunable_kernels  # noqa: E402
from tfopt.backend.graph.layers import leaf_layers  # noqa: E402
from tfopt.backend.models.build import build  # noqa: E402
from tfopt.backend.shrinking.choices import choices_of  # noqa: E402
from tfopt.backend.shrinking.graph import cost  # noqa: E402
from tfopt.backend.shrinking.latency import compare  # noqa: E402
from tfopt.backend.stages import fit  # noqa: E402
from tfopt.backend.stages.float_files import write_float_files  # noqa: E402
from tfopt.backend.stages.prune import prune  # noqa: E402
from tfopt.backend.stages.shrink import copy_of, shrink  # noqa: E402
from tfopt.backend.training.evaluate import evaluate  # noqa: E402
from tfopt.core.contracts.result import StageResult  # noqa: E402
from tfopt.core.contracts.stage import StageContext  # noqa: E402
from tfopt.stages.prune import Prune  # noqa: E402
from tfopt.stages.shrink import Shrink  # noqa: E402
from tfopt.stages.train import Train  # noqa: E402

METHODS = ("shrink", "random", "scratch", "zeros")


@dataclass(frozen=True)
class Budget:
    """A share of a cost of the dense network.

    Args:
        of: `macs` or `latency`.
        share: that may be left.
    """

    of: str
    share: float

    def __str__(self) -> str:
        """Its name in results; those of multiply-accumulates are older."""
        return f"{self.share:g}" if self.of == "macs" else f"{self.of} {self.share:g}"


@dataclass(frozen=True)
class Case:
    """A network and its data.

    Args:
        recipe: from which data, model, compile and augmentation are read.
        epochs: of training the dense network, and of the stage after it.
        rates: learning rates of the two.
        width: argument of the model that `scratch` makes smaller.
        step: of that argument.
        changes: of the recipe.
        examples: of the training split that are used; None for all.
    """

    recipe: str
    epochs: tuple[int, int]
    rates: tuple[float, float]
    width: str
    step: int
    changes: Callable[[], Mapping[str, Any]] = dict
    examples: int | None = None


CASES: Mapping[str, Case] = {
    "ds_cnn": Case(
        "spoken_digits_ds_cnn_qat", (12, 6), (2e-3, 1e-3), "filters", 1,
        lambda: {"data.args.folder": os.environ["SPOKEN_DIGITS"]},
    ),
    "resnet8": Case("cifar10_resnet8_shrink_qat", (8, 4), (2e-3, 1e-3), "filters", 1, examples=4000),
    "resnet20": Case(
        "cifar10_resnet8_shrink_qat", (6, 2), (2e-3, 1e-3), "filters", 1, lambda: {"model.args.blocks": 3}, 4000
    ),
    "transformer": Case(
        "clinc150_transformer_prune_qat", (4, 2), (2e-3, 1e-3), "width", 4,
        lambda: {"data.args.folder": os.environ["CLINC150"]},
    ),
}  # fmt: skip


class Job:
    """One case with one seed.

    Args:
        case: the network and its data.
        seed: of everything.
        work: for checkpoints.
    """

    def __init__(self, case: Case, seed: int, work: Path) -> None:
        self.case, self.seed, self.work = case, seed, work
        path = REPOSITORY / "recipes" / f"{case.recipe}.yaml"
        self.recipe = tfopt.load(path, {"seed": seed, **case.changes()})
        data = load(self.recipe.data, path.parent)
        self.data = replace(data, train=data.train.take(case.examples or len(data.train), 0))
        self._number = 0

    def context(self) -> StageContext:
        """Of the next stage."""
        self._number += 1
        folder = self.work / str(self._number)
        data = self.recipe.data
        return StageContext(
            data=self.data,
            compile=self.recipe.compile,
            batch_size=data.batch_size,
            seed=self.seed,
            emit=lambda event: None,
            work=folder / "work",
            logs=folder / "logs",
            augment=data.augment,
        )

    def built(self, **arguments: int) -> tf_keras.Model:
        """The network of the recipe, with other arguments."""
        config = self.recipe.model.model_copy(update={"args": {**self.recipe.model.args, **arguments}})
        return build(config, self.data, self.seed, REPOSITORY / "recipes").model

    def trained(self, model: tf_keras.Model, epochs: int) -> tf_keras.Model:
        """Trains with the rate of the dense network."""
        rate = {"kind": "cosine", "initial": self.case.rates[0], "final": 1e-5}
        stage = Train.model_validate({"name": "train", "epochs": epochs, "learning_rate": rate})
        return fit.train(model, stage, self.context()).model

    def dense(self, stored: Path) -> tf_keras.Model:
        """The trained dense network; its weights are kept in a file."""
        model = self.built()
        if stored.exists():
            with np.load(stored) as weights:
                model.set_weights([weights[key] for key in weights.files])
            return model
        trained = self.trained(model, self.case.epochs[0])
        np.savez(stored, *trained.get_weights())
        return trained

    def values(self, model: tf_keras.Model, **more: Any) -> dict[str, Any]:
        """What is kept of a network."""
        found = cost(model)
        measured = evaluate(model, self.data.test, self.recipe.compile)
        return {"accuracy": measured["accuracy"], "macs": found.macs, "parameters": found.parameters, **more}

    def made(self, method: str, dense: tf_keras.Model, budget: Budget, by_shrink: Mapping[str, Any]) -> dict[str, Any]:
        """One method within a budget; `by_shrink` is what `shrink` gave within it."""
        more: dict[str, Any] = {}
        if method in ("shrink", "random"):
            found = self.shrunk(dense, budget, by_shrink["widths"] if method == "random" else None)
            made = found.model
            more["widths"] = {one["group"]: one["units_after"] for one in found.details["shrink"]["groups"]}
        else:
            made = self.scratch(budget, dense) if method == "scratch" else self.zeros(dense, by_shrink["parameters"])
        if budget.of == "latency":
            more["latency"] = self.latency(made, dense)
        return self.values(made, **more)

    def longer(self, dense: tf_keras.Model) -> dict[str, Any]:
        """The stage with nothing removed."""
        return self.values(self.shrunk(dense, Budget("macs", 0.99), {}).model)

    def shrunk(self, dense: tf_keras.Model, budget: Budget, random: Mapping[str, int] | None = None) -> StageResult:
        """The stage; if widths by group are given, with random units, so many of each group."""
        body = {"name": "shrink", "to": {budget.of: f"{budget.share:.0%}"}, "divisor": 4, **self._after()}
        stage, context, model = Shrink.model_validate(body), self.context(), copy_of(dense)
        if random is not None:
            # An interrupted stage goes on with the units that it had chosen: these.
            drawn, groups = np.random.default_rng(self.seed), choices_of(model, stage).choices
            kept = {
                one.name: sorted(drawn.permutation(one.group.units)[: random[one.name]].tolist())
                for one in groups
                if random.get(one.name, one.group.units) < one.group.units
            }
            widths = {one.name: random.get(one.name, one.group.units) for one in groups}
            chosen = {"kept": kept, "widths": widths, "cost": 0.0, "tries": [], "losses": {}}
            context.work.mkdir(parents=True, exist_ok=True)
            (context.work / "decision.json").write_text(json.dumps(chosen), encoding="utf-8")
        return shrink(model, stage, stage, context)

    def scratch(self, budget: Budget, dense: tf_keras.Model) -> tf_keras.Model:
        """The widest network within a budget."""

        def share(width: int) -> float:
            model = self.built(**{self.case.width: width})
            if budget.of == "latency":
                return self.latency(model, dense)
            return cost(model).macs / cost(dense).macs

        widths = range(self.case.step, self.recipe.model.args[self.case.width] + 1, self.case.step)
        fitting = bisect_right(widths, budget.share, key=share)
        width = widths[max(fitting - 1, 0)]
        return self.trained(self.built(**{self.case.width: width}), sum(self.case.epochs))

    def latency(self, model: tf_keras.Model, dense: tf_keras.Model) -> float:
        """Of the float32 file, as a share of that of the dense network, timed in turns."""
        with tempfile.TemporaryDirectory() as folder:
            files = write_float_files({"one": model, "dense": dense}, Path(folder))
            one, whole = compare([files["one"], files["dense"]])
        return one / whole

    def zeros(self, dense: tf_keras.Model, parameters: int) -> tf_keras.Model:
        """Unstructured pruning to a number of weights that are not zero."""
        model = copy_of(dense)
        size = sum(
            int(tf_keras.backend.count_params(one)) for layer in leaf_layers(model) for one in prunable_kernels(layer)
        )
        final = min(max(1 - (parameters - (model.count_params() - size)) / size, 0.0), 0.99)
        schedule = {"kind": "polynomial", "final": final, "end": "60%"}
        stage = Prune.model_validate({"name": "prune", "schedule": schedule, **self._after()})
        return prune(model, stage, stage, self.context()).model

    def _after(self) -> dict[str, Any]:
        rate = {"kind": "cosine", "initial": self.case.rates[1], "final": 1e-5}
        return {"epochs": self.case.epochs[1], "learning_rate": rate}


def run(name: str, seed: int, budgets: Sequence[Budget], methods: Sequence[str], out: Path) -> None:
    """Methods of a case with one seed; what has a result already is left out."""
    file = out / f"{name}-{seed}.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    wanted = ["dense", LONGER, *(f"{method} {budget}" for budget in budgets for method in methods)]
    if all(key in found for key in wanted):
        return
    before = time.process_time()

    def keep(key: str, values: dict[str, Any]) -> None:
        nonlocal before
        before, used = time.process_time(), time.process_time() - before
        found[key] = {**values, "cpu_seconds": round(used)}
        file.write_text(json.dumps(found, indent=1), encoding="utf-8")
        print(name, seed, key, found[key], flush=True)

    with tempfile.TemporaryDirectory(prefix="tfopt-judged-") as work:
        job = Job(CASES[name], seed, Path(work))
        stored = out / f"{name}-{seed}.weights.npz"
        if not stored.exists():
            found.pop("dense", None)
        dense = job.dense(stored)
        if "dense" not in found:
            keep("dense", job.values(dense))
        if LONGER not in found:
            keep(LONGER, job.longer(dense))
        for budget in budgets:
            for method in methods:
                if (key := f"{method} {budget}") not in found:
                    if method in ("random", "zeros") and f"shrink {budget}" not in found:
                        raise SystemExit(f"{method} leaves as much as shrink: run shrink before it")
                    keep(key, job.made(method, dense, budget, found.get(f"shrink {budget}", {})))


def main() -> None:
    """Reads the arguments, and does what they say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help="all by default")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--shares", type=float, nargs="+", default=[0.6, 0.4, 0.25])
    parser.add_argument("--of", nargs="+", choices=("macs", "latency"), default=["macs"])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument(
        "--out", type=Path, default=REPOSITORY / "build" / "shrink_judged", help="folder of the results"
    )
    parser.add_argument("--page", type=Path, help="the page whose table is replaced")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    budgets = [Budget(of, share) for of in options.of for share in options.shares]
    for seed in options.seeds:
        for name in options.cases or CASES:
            run(name, seed, budgets, options.methods, options.out)
    head = ("case", "at most", "weights", "dense", LONGER, *METHODS, "epochs", "seeds")
    text = table(head, rows(options.out, {name: case.epochs for name, case in CASES.items()}, METHODS))
    if options.page:
        page = options.page.read_text(encoding="utf-8")
        options.page.write_text(replaced(page, "shrink_judged", text), encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
