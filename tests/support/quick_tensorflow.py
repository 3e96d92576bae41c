"""TensorFlow as tiny models need it: most of the time goes into preparing graphs, not into running them.

Measured with the digits recipe on `small_cnn`, after the first run in the process: 14.8 CPU seconds, with one thread
13.3, without Grappler 11.2. Every run of the command line in a process of its own still has Grappler on.
"""

from __future__ import annotations

import gc
import itertools
from collections.abc import Mapping
from types import ModuleType, SimpleNamespace

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


def no_functions_for_gpus() -> None:
    """Where there is no GPU, LSTM and GRU are traced once per call, in place of a second time for cuDNN.

    tf_keras adds a function with gradients for GPUs to each graph, and Grappler puts it in where there is one. Measured
    with an LSTM and a bidirectional one: 1.4 -> 0.4 CPU seconds to build, 5.1 -> 3.5 for the first step, same outputs.
    """
    import tensorflow as tf
    from tf_keras.src.layers.rnn import gru_lstm_utils

    if not tf.config.list_physical_devices("GPU"):
        gru_lstm_utils.function_register = lambda *arguments, **keys: None


def few_collections_of_conversions() -> None:
    """Of the conversions in this process each 16th collects garbage.

    The converter does it each time to save memory, and visits all that a worker holds: 24 conversions took 12.6 of 178
    CPU seconds for it in a process that had just begun. Without any, a worker grew to 4 GB in a quarter of the tests.
    """
    from tensorflow.lite.python import lite

    if isinstance(lite.gc, ModuleType):
        conversions = itertools.count(1)
        lite.gc = SimpleNamespace(collect=lambda: gc.collect() if next(conversions) % 16 == 0 else 0)
