"""Which trial may start, so that no stage is built twice at the same time. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

Chains = Mapping[str, Sequence[str]]
"""The keys of each trial's stages, in order."""


def next_trial(waiting: Sequence[str], running: Collection[str], built: Collection[str], chains: Chains) -> str | None:
    """The first waiting trial that shares no unbuilt stage with a running one.

    A trial that needs a stage another one is building right now would train it a second time, or wait for it with
    its hands full; it starts as soon as that stage is in the store.

    Args:
        waiting: trials in the order of the sweep.
        running: trials under way.
        built: keys of stages that are in the store.
        chains: keys by trial.

    Returns:
        Its name, or None where all must wait.
    """
    under_way = {key for trial in running for key in chains[trial] if key not in built}
    return next((trial for trial in waiting if under_way.isdisjoint(chains[trial])), None)
