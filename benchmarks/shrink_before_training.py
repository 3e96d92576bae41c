"""What is right before a narrowed network is trained: by criterion, allocation, and way to recover.

    python benchmarks/shrink_before_training.py [CASE...] [--seeds 0 1 2] [--shares 0.6 0.4 0.25]
                                                [--page docs/measurements.md]

Cases, data and `--out` are those of `shrink_judged.py`, whose dense networks are used. At each share of the
multiply-accumulates, the units that go are chosen once by criterion and allocation; then the network is judged on the
test split after each way to recover:

| recovery | what it is |
|---|---|
| `none` | the units are gone |
| `statistics` | those of batch normalization are estimated again |
| `solved` | weights that read removed units are solved again |
| `both` | first solved, then estimated |
| `stage` | what the stage does: the best of the last three by the loss on training examples |

`random` has the widths that `taylor` has, with units drawn at random. Results are kept as JSON in `--out`: a call that
was stopped goes on. With `--page`, the table between the comments `shrink_before_training` is replaced.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(Path(__file__).parent)]

import numpy as np  # noqa: E402
import tf_keras  # noqa: E402
from measurements import replaced, table  # noqa: E402
from shrink_judged import CASES, Job  # noqa: E402

from tfopt.backend.pruning.criterion import make_criterion  # noqa: E402
from tfopt.backend.shrinking import sensitivity  # noqa: E402
from tfopt.backend.shrinking.allocate import Losses, kept_units  # noqa: E402
from tfopt.backend.shrinking.choices import choices_of  # noqa: E402
from tfopt.backend.shrinking.costs import NetworkCosts  # noqa: E402
from tfopt.backend.shrinking.decide import Ranking, widths_within  # noqa: E402
from tfopt.backend.shrinking.graph import Kept, MaskedTwin, ShrinkGroups, remove  # noqa: E402
from tfopt.backend.shrinking.networks import Pricing  # noqa: E402
from tfopt.backend.shrinking.reconstruction import reconstruct  # noqa: E402
from tfopt.backend.shrinking.recovery import recover  # noqa: E402
from tfopt.backend.shrinking.scores import calibration_split, comparable, unit_scores  # noqa: E402
from tfopt.backend.training import batch_norm  # noqa: E402
from tfopt.backend.training.evaluate import evaluate  # noqa: E402
from tfopt.stages.shrink import Shrink  # noqa: E402

RECOVERIES = ("none", "statistics", "solved", "both", "stage")
CHOICES = (
    *(("taylor", allocation) for allocation in ("global", "uniform", "sensitivity")),
    *((name, "global") for name in ("fisher", "l1", "batch_norm_scale", "geometric_median", "mean_activation")),
    ("random", "global"),
)
"""Criteria and allocations."""


class Narrowing:
    """A dense network that is narrowed in several ways.

    Args:
        job: case and seed.
        dense: trained.
        share: of the multiply-accumulates that may be left.
    """

    def __init__(self, job: Job, dense: tf_keras.Model, share: float) -> None:
        self.job, self.dense, self.share = job, dense, share
        self.calibration = calibration_split(job.data.train, 512, job.seed)

    def values(self, criterion: str, allocation: str) -> dict[str, float]:
        """Accuracy on the test split after each way to recover."""
        kept, groups = self._kept(criterion, allocation)
        compile, seed, train = self.job.recipe.compile, self.job.seed, self.job.data.train
        narrow = remove(self.dense, kept)
        whole = narrow.get_weights()

        def solve() -> tuple[str, ...]:
            return reconstruct(self.dense, narrow, groups, kept, self.calibration, seed)

        ways: Mapping[str, Sequence[Callable[[], object]]] = {
            "none": (),
            "statistics": (lambda: batch_norm.estimate(narrow, train, seed),),
            "solved": (solve,),
            "both": (solve, lambda: batch_norm.estimate(narrow, train, seed)),
            "stage": (lambda: recover(narrow, solve, train, compile, seed, statistics=True),),
        }
        found = {}
        for name, steps in ways.items():
            narrow.set_weights(whole)
            for step in steps:
                step()
            found[name] = evaluate(narrow, self.job.data.test, compile)["accuracy"]
        return found

    def _kept(self, criterion: str, allocation: str) -> tuple[Kept, ShrinkGroups]:
        keys = {"to": {"macs": f"{self.share:.0%}"}, "divisor": 4, "epochs": 1, "allocation": allocation}
        ranked_by = "taylor" if criterion == "random" else criterion
        stage = Shrink.model_validate({**keys, "criterion": ranked_by})
        choices = choices_of(self.dense, stage)
        prices = Pricing("macs", NetworkCosts(self.dense, choices.groups))
        ranking_criterion = make_criterion(ranked_by)
        scores = unit_scores(self.dense, choices.choices, ranking_criterion, self.calibration, self.job.recipe.compile)
        losses: Losses | None = None
        if allocation == "sensitivity":
            twin, split = MaskedTwin(self.dense), self.job.data.validation

            def loss_of(kept: Kept) -> float:
                twin.apply(kept)
                return evaluate(twin.model, split, self.job.recipe.compile)["loss"]

            measured = sensitivity.measure(choices.choices, scores, loss_of, lambda done, total: None)
            losses = sensitivity.losses_of(choices.choices, measured)
        ranking = Ranking(scores, comparable(scores, ranking_criterion), losses)
        limit = self.share * prices.of(choices.full)
        widths = widths_within(stage, choices, ranking, prices, limit)
        if criterion == "random":
            drawn = np.random.default_rng(self.job.seed)
            scores = {name: drawn.random(len(values)) for name, values in scores.items()}
        return kept_units(choices.choices, scores, widths), choices.groups


def run(name: str, seed: int, shares: Sequence[float], out: Path) -> None:
    """All criteria and allocations of a case with one seed; what has a result already is left out."""
    file = out / f"{name}-{seed}.before.json"
    found: dict[str, dict[str, float]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    wanted = {f"{share:g} {criterion} {how}": (share, criterion, how) for share in shares for criterion, how in CHOICES}
    if all(key in found for key in wanted):
        return
    with tempfile.TemporaryDirectory(prefix="tfopt-before-") as work:
        job = Job(CASES[name], seed, Path(work))
        dense = job.dense(out / f"{name}-{seed}.weights.npz")
        for key, (share, criterion, allocation) in wanted.items():
            if key not in found:
                found[key] = Narrowing(job, dense, share).values(criterion, allocation)
                file.write_text(json.dumps(found, indent=1), encoding="utf-8")
                print(name, seed, key, found[key], flush=True)


def rows(names: Sequence[str], shares: Sequence[float], out: Path) -> list[tuple[str, ...]]:
    """The table: mean accuracy over the seeds that are there."""
    results = {
        name: [json.loads(path.read_text(encoding="utf-8")) for path in sorted(out.glob(f"{name}-*.before.json"))]
        for name in names
    }
    made = []
    for criterion, allocation in CHOICES:
        for recovery in RECOVERIES if criterion == "taylor" else ("stage",):
            cells = []
            for name in names:
                for share in shares:
                    key = f"{share:g} {criterion} {allocation}"
                    accuracies = [one[key][recovery] for one in results[name] if key in one]
                    cells.append(f"{100 * fmean(accuracies):.1f}" if accuracies else "not run")
            made.append((f"`{criterion}`", allocation, recovery, *cells))
    return made


def main() -> None:
    """Reads the arguments, and does what they say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=["ds_cnn", "resnet8"])
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--shares", type=float, nargs="+", default=[0.6, 0.4, 0.25])
    parser.add_argument(
        "--out", type=Path, default=REPOSITORY / "build" / "shrink_judged", help="folder of the results"
    )
    parser.add_argument("--page", type=Path, help="the page whose table is replaced")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for seed in options.seeds:
        for name in options.cases:
            run(name, seed, options.shares, options.out)
    columns = [f"{name}, {share:.0%} of MACs" for name in options.cases for share in options.shares]
    head = ("criterion", "allocation", "recovery", *columns)
    text = table(head, rows(options.cases, options.shares, options.out))
    if options.page:
        page = options.page.read_text(encoding="utf-8")
        options.page.write_text(replaced(page, "shrink_before_training", text), encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
