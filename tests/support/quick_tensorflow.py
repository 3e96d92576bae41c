"""TensorFlow as tiny models need it: most of the time goes into preparing graphs, not into running them.

Measured with the digits recipe on `small_cnn`, after the first run in the process: 14.8 CPU seconds, with one thread
13.3, without Grappler 11.2. Every run of the command line in a process of its own still has Grappler on.
"""

from __future__ import annotations

from collections.abc import Mapping

ONE_THREAD: Mapping[str, str] = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
"""Environment: pytest's workers take the cores, and idle threads that wait for work burn CPU."""


def optimize_graphs(on: bool) -> None:
    """Switches Grappler, which rewrites each graph before its first run: worth it when a graph runs often.

    Args:
        on: as in the product; for tests that compare to the last bit with a run of the product in a child process.
    """
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": not on})
