"""Mistakes of keys and of sparsity schedules."""

from __future__ import annotations

from tests.io.recipes.mistakes.case import Broken

SCHEDULES = {
    "unknown key at the top": Broken(
        "seed: 7", "sead: 7", "unknown_key", "2:1", "the recipe has no key 'sead'. Did you mean 'seed'?"
    ),
    "unknown key of a stage": Broken(
        "      schedule:",
        "      shedule:",
        "unknown_key",
        "17:7",
        "prune has no key 'shedule'. Did you mean 'schedule'?",
    ),
    "unknown key of data": Broken(
        "batch_size: 64",
        "batchsize: 64",
        "unknown_key",
        "5:3",
        "data has no key 'batchsize'. Did you mean 'batch_size'?",
    ),
    "sparsity above 100%": Broken(
        "final: 80%",
        "final: 120%",
        "invalid_value",
        "17:57",
        "prune.schedule.final must be at least 0% and below 100%. Got 120% (write 80% for four zeros in five).",
    ),
    "not a percentage": Broken(
        "final: 80%",
        "final: lots",
        "invalid_value",
        "17:57",
        "prune.schedule.final must be a percentage such as 80% or a number such as 0.8. Got 'lots'.",
    ),
    "span without unit": Broken(
        "end: 70%",
        "end: 70",
        "invalid_value",
        "17:78",
        "prune.schedule.end must have a unit: a share of the stage such as 70%, or 3 epochs, or 200 steps. Got 70.",
    ),
    "span with a wrong unit": Broken(
        "end: 70%",
        "end: 70 px",
        "invalid_value",
        "17:78",
        "prune.schedule.end must have a unit: a share of the stage such as 70%, or 3 epochs, or 200 steps. Got 70 px.",
    ),
    "end before begin": Broken(
        "begin: 0%, end: 70%",
        "begin: 80%, end: 70%",
        "wrong_order",
        "17:79",
        "prune.schedule.end is 70%: it must come after begin (80%).",
    ),
    "schedule longer than its stage": Broken(
        "end: 70%",
        "end: 12 epochs",
        "outside_stage",
        "17:78",
        "prune.schedule.end is 12 epochs, but the stage has 10 epochs: 80% would never be reached.",
    ),
    "schedule that never begins": Broken(
        "begin: 0%",
        "begin: 10 epochs",
        "outside_stage",
        "17:69",
        "prune.schedule.begin is 10 epochs, but the stage has 10 epochs: pruning would never begin.",
    ),
    "masks that are never updated": Broken(
        "end: 70%",
        "end: 70%, every: 8 epochs",
        "outside_stage",
        "17:90",
        "prune.schedule.every is 8 epochs, longer than from begin to end: the masks would never be updated.",
    ),
    "sparsity that falls": Broken(
        "initial: 30%",
        "initial: 90%",
        "wrong_order",
        "17:45",
        "prune.schedule: initial is 90%, above final (80%): this schedule never gives zeros back; make initial at most "
        "final.",
    ),
    "schedule without kind": Broken(
        "{kind: polynomial, initial: 30%,",
        "{",
        "missing_key",
        "17:17",
        "prune.schedule needs the key 'kind': polynomial, constant",
    ),
}
