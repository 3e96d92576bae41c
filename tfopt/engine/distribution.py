"""Stages on several devices: what is known before training, and the scope around each stage."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TypeGuard

from tfopt.core.config.training.distribution import Distribution
from tfopt.core.contracts.result import StageResult
from tfopt.core.contracts.stage import Stage, StageContext, TrainingStage
from tfopt.core.contracts.types import Model
from tfopt.core.language.wording import counted
from tfopt.core.recipe.recipe import Recipe
from tfopt.engine.keys import batch_size_of
from tfopt.errors import Problem, StageError

ENDED = "ended"
"""What the leading worker announces when its run has ended, however."""


def start(recipe: Recipe) -> None:
    """Sets devices up before TensorFlow does anything else.

    Raises:
        RecipeError: there are no such devices, or TF_CONFIG is wrong.
        StageError: the workers do not find each other.
    """
    if recipe.distribute is None:
        return
    from tfopt.backend.devices import strategies

    if problems := device_problems(recipe):
        raise recipe.error(problems)
    strategies.start(recipe.distribute)


def needs_workers(recipe: Recipe) -> bool:
    """Whether a recipe can be carried out by the workers of TF_CONFIG only."""
    return recipe.distribute is not None and recipe.distribute.strategy == "multi_worker"


def device_problems(recipe: Recipe) -> list[Problem]:
    """What is wrong with `distribute` on this machine."""
    if recipe.distribute is None:
        return []
    from tfopt.backend.devices.found import WrongDevices, layout

    try:
        found = layout(recipe.distribute)
    except WrongDevices as error:
        mistake = error.mistake
        sentence = " ".join((".".join(("distribute", *map(str, mistake.path))), f"{mistake.message}."))
        return [Problem(("distribute", *mistake.path), sentence, code=mistake.code)]
    replicas = 1 if found is None else found.replicas
    if replicas > 1 and (recipe.compile.gradient_accumulation_steps or 1) > 1:
        text = (
            f"compile.gradient_accumulation_steps is {recipe.compile.gradient_accumulation_steps}, but distribute "
            f"divides each batch among {replicas} replicas already: leave one of the two out."
        )
        return [Problem(("compile", "gradient_accumulation_steps"), text, code="conflicting_keys")]
    if replicas > 1 and recipe.compile.xla is True:
        text = f"compile.xla is true, but XLA cannot compile a step that distribute divides among {replicas} replicas."
        return [Problem(("compile", "xla"), text, "Leave one of the two out.", code="conflicting_keys")]
    return [
        Problem(
            ("stages", index, stage.kind, "batch_size") if stage.batch_size else ("data", "batch_size"),
            f"{stage.name} trains with batches of {batch_size_of(stage, recipe)}, which cannot be divided among "
            f"{replicas} replicas: write a batch_size of at least {replicas} (it is that of all replicas together).",
            code="out_of_range",
        )
        for index, stage in enumerate(recipe.stages)
        if together(stage) and batch_size_of(stage, recipe) < replicas
    ]


def notes(stage: Stage, recipe: Recipe) -> tuple[str, ...]:
    """What a plan says about the devices of a stage; `device_problems` has found none."""
    if recipe.distribute is None or not isinstance(stage, TrainingStage):
        return ()
    from tfopt.backend.devices.found import layout

    found = layout(recipe.distribute)
    if found is None:
        return ("trains on one device: distribute: auto finds no others here",)
    if not stage.on_replicas:
        return (f"trains on one device: {stage.kind} does not divide its batches among replicas",)
    batch = batch_size_of(stage, recipe)
    return (
        f"trains on {counted(found.replicas, 'replica')}, each with {batch / found.replicas:g} of {batch} examples",
    )


def together(stage: Stage) -> TypeGuard[TrainingStage]:
    """Whether all workers carry out a stage; the result of any other is made by the one that leads."""
    return isinstance(stage, TrainingStage) and stage.on_replicas


def apply(stage: Stage, model: Model, context: StageContext, distribute: Distribution | None) -> StageResult:
    """Applies a stage, on several devices where it trains and the recipe wants that.

    A model that is trained on several devices has variables of its own kind: the stage gets a copy with such variables,
    and what comes back is a plain model again.

    Raises:
        StageError: as `stage.apply`.
    """
    if distribute is None:
        return stage.apply(model, context)
    from tfopt.backend.artifacts.stage_artifacts import copied
    from tfopt.backend.devices import strategies, workers

    if not together(stage):
        with workers.alone():
            return stage.apply(model, context)
    strategy = strategies.strategy(distribute)
    if strategy is None:
        return stage.apply(model, context)
    with workers.not_alone(), strategy.scope():
        result = stage.apply(copied(model), context)
    if not isinstance(result, StageResult):  # as stages of 0.1.0 did; the engine says so
        return copied(result)
    details = {**result.details, "replicas": strategy.num_replicas_in_sync}
    return replace(result, model=copied(result.model), details=details)


def follows(recipe: Recipe) -> bool:
    """Whether this process trains along with another one, which leads; known after `start`."""
    if recipe.distribute is None:
        return False
    from tfopt.backend.devices import workers

    return not workers.leads()


def announce(what: str) -> None:
    """Announces to the workers that train along, if there are some, what this process has found or done."""
    workers = sys.modules.get("tfopt.backend.devices.workers")
    if workers is not None:
        workers.agree(what)


def receive() -> str:
    """What the leading worker announces next.

    Raises:
        StageError: it is gone, or has ended its run.
    """
    from tfopt.backend.devices import workers

    announced = workers.agree("")
    if announced == ENDED:
        raise StageError(
            f"{workers.describe()} has nothing more to do: the run of the worker that leads has ended with an error.",
            "Its message says why; start the same command again on every machine.",
            code="worker_lost",
        )
    return announced


def receive_end() -> None:
    """Waits until the run of the leading worker has ended.

    Raises:
        StageError: it is gone.
    """
    from tfopt.backend.devices import workers

    while workers.agree("") != ENDED:
        pass
