"""The process `tfopt`: Python's own messages go to stderr, those of C++ libraries go nowhere."""

from __future__ import annotations

import faulthandler
import gc
import os
import sys


def run() -> None:
    """Runs the command line in a process of its own; the entry point of the `tfopt` script."""
    from tfopt.cli.main import RUN_NO_CODE, main

    light = bool(RUN_NO_CODE.intersection(sys.argv[1:2]))
    if light:
        gc.set_threshold(100_000)  # imports make objects, not garbage; verbs that train keep the default
    if "--debug" not in sys.argv:
        _hush_native_messages()
        if not light:
            _hush_tensorflow()
    main()


def _hush_tensorflow() -> None:
    """TensorFlow advises on how we write functions ("triggered tf.function retracing"), which is no news to a user."""
    import logging  # not needed by the light verbs

    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def _hush_native_messages() -> None:
    """Keeps C++ libraries off the terminal.

    TensorFlow 2.21 prints four lines about oneDNN and CUDA at import, straight to file descriptor 2, whatever
    TF_CPP_MIN_LOG_LEVEL says. `--debug` lets them through. A crash of the process itself is still reported, by
    faulthandler.
    """
    kept = os.dup(2)
    sys.stderr = os.fdopen(kept, "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    faulthandler.enable(file=sys.stderr)
