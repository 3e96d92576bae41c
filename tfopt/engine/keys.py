"""Store keys of stages: what they are made of, and why one is missing.

The rule for a key that a later version adds to a stage, to `compile` or to `data.augment`: it defaults to None, which
means what the version before did. `Block` leaves such a key out of what it writes, so stages stored before keep their
keys. The order in which keys are declared or written does not matter: `fingerprint` sorts them. Where the same config
gives a different result, raise `Stage.version`. `tests/engine/test_keys.py` holds the keys of 0.1.0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfopt.catalog import references
from tfopt.catalog.code_fingerprint import code_fingerprint
from tfopt.core.config.model_source import PLACES, sources_in
from tfopt.core.config.training.precision import is_mixed
from tfopt.core.contracts.stage import Stage, TrainingStage
from tfopt.core.language.plain import look_up
from tfopt.core.recipe.plan import PlannedStage
from tfopt.core.recipe.recipe import Recipe
from tfopt.core.records.fingerprint import changes, fingerprint, key_parts
from tfopt.io.store.store import Store
from tfopt.io.system.environment import environment, key_versions


def why_missing(parts: Mapping[str, Any], store: Store, before: Sequence[PlannedStage]) -> str:
    """The reason why a stage is not in the store: the changes since the most similar entry."""
    changed = [stage.name for stage in before if stage.status != "cached"]
    if changed:
        return f"{changed[-1]} before it is new"
    found = [changes(old, parts) for old in store.parts(parts["kind"])]
    if not found:
        return "the store has no similar entry"
    nearest = min(found, key=len)
    if not nearest:
        return "its entry in the store is incomplete"
    words = [change.removeprefix("config.").removeprefix("stage.") for change in nearest]
    more = f", and {len(words) - 3} more" if len(words) > 3 else ""
    return "; ".join(words[:3]) + more


def key_of(stage: Stage, recipe: Recipe, parent: str, data: str, sources: Sequence[str] = ()) -> str:
    """The store key of a stage of a recipe."""
    return fingerprint(parts_of(stage, recipe, parent, data, sources))


def parts_of(stage: Stage, recipe: Recipe, parent: str, data: str, sources: Sequence[str] = ()) -> dict[str, Any]:
    """Parts of the store key of a stage; its name and its `not_in_key` keys are left out: they change no result.

    External models enter with their content (`sources`, see `tfopt.engine.external_models.keys_of`), not with their
    location. An earlier stage that this one depends on enters with its index: its content is in the parent's key, and
    with the name alone, two stages that swap their names would have the same key.
    """
    dumped = stage.model_dump(mode="json", exclude={"name", *stage.not_in_key})
    for path, _ in sources_in(stage):
        for place in PLACES:
            look_up(dumped, path).pop(place, None)
    config: dict[str, Any] = {
        "stage": dumped,
        "compile": recipe.compile.model_dump(mode="json"),
        "batch_size": batch_size_of(stage, recipe),
        "augment": recipe.data.augment.model_dump(mode="json") if recipe.data.augment else None,
    }
    if code := _own_code(stage, recipe):
        config["code"] = code
    if stage.depends_on():
        config["uses"] = [recipe.stages.index(recipe.stage(name)) for name in stage.depends_on()]
    if is_mixed(recipe.precision) and isinstance(stage, TrainingStage) and "quantized" not in stage.adds:
        config["precision"] = recipe.precision
    if recipe.distribute is not None and isinstance(stage, TrainingStage) and stage.on_replicas:
        config["distribute"] = recipe.distribute.model_dump(mode="json")
    if stage.depends_on_machine():
        config["processor"] = environment().cpu
    if sources:
        config["sources"] = list(sources)
    return key_parts(
        parent=parent,
        kind=stage.kind,
        version=stage.version,
        config=config,
        data=data,
        seed=recipe.seed,
        versions=key_versions(),
    )


def _own_code(stage: Stage, recipe: Recipe) -> dict[str, str]:
    """Fingerprints of the user's own losses, metrics, callbacks and augmentation that a stage is trained with."""
    callbacks = getattr(stage, "callbacks", None) or ()
    augment = recipe.data.augment.function if recipe.data.augment and isinstance(stage, TrainingStage) else None
    named = [part.name for part in (*(part for _, part in recipe.compile.references()), *callbacks)]
    named += [] if augment is None else [augment]
    folder = Path(recipe.folder)
    return {name: code_fingerprint(references.function(name, folder)) for name in named}


def batch_size_of(stage: Stage, recipe: Recipe) -> int:
    """Examples per optimizer step in a stage: of its own batch, or the recipe's, or of several."""
    own = stage.batch_size if isinstance(stage, TrainingStage) else None
    return (own or recipe.data.batch_size) * (recipe.compile.gradient_accumulation_steps or 1)


def measurements_folder(store: Path) -> Path:
    """Where stages keep measurements of this machine: latency tables, losses of narrowed networks.

    Args:
        store: the store's folder.
    """
    return store / "measurements" / fingerprint([environment().cpu, environment().litert, key_versions()])[:16]
