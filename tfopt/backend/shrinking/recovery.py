"""What a network is given back of what removal cost, before it is trained: solved weights, new statistics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tf_keras

from tfopt.backend.data.splits import Split
from tfopt.backend.training import batch_norm
from tfopt.backend.training.evaluate import evaluate
from tfopt.core.config.training.compile import Compile

_EXAMPLES = 1024
"""Training examples on which ways to recover are judged."""


def recover(
    narrow: tf_keras.Model,
    solve: Callable[[], tuple[str, ...]] | None,
    training: Split,
    compile: Compile,
    seed: int,
    *,
    statistics: bool,
) -> tuple[str, ...]:
    """Solves weights again and estimates the statistics of batch normalization, in place.

    Weights are solved for the outputs that layers had under the old statistics: new ones can spoil that. Of solved
    weights with the old and with new statistics, and of the weights as they were with new ones, those with the least
    loss on training examples stay.

    Args:
        narrow: the network.
        solve: solves its weights, and returns the names of the layers; None where they stay.
        training: the training split.
        compile: of the loss.
        seed: of the choice of examples.
        statistics: whether those of batch normalization may be estimated.

    Returns:
        Names of the layers whose solved weights stay.
    """
    before = narrow.get_weights()
    solved = () if solve is None else solve()
    if not statistics or not batch_norm.has_statistics(narrow):
        return solved
    if not solved:
        batch_norm.estimate(narrow, training, seed)
        return ()
    examples = training.take(_EXAMPLES, seed)

    def loss() -> float:
        found = evaluate(narrow, examples, compile)["loss"]
        return found if np.isfinite(found) else np.inf

    tried = [(loss(), narrow.get_weights(), solved)]
    for weights, layers in ((narrow.get_weights(), solved), (before, ())):
        narrow.set_weights(weights)
        batch_norm.estimate(narrow, training, seed)
        tried.append((loss(), narrow.get_weights(), layers))
    _, best, left = min(tried, key=lambda one: one[0])
    narrow.set_weights(best)
    return left
