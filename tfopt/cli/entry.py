"""The process `tfopt`: Python's own messages go to stderr, those of C++ libraries go nowhere."""

from __future__ import annotations

import faulthandler
import logging
import os
import sys


def run() -> None:
    """Runs the command line in a process of its own; the entry point of the `tfopt` script."""
    if "--debug" not in sys.argv:
        _hush_native_messages()
        # TensorFlow advises on how we write functions ("triggered tf.function retracing"), which is no news to a user.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
    from tfopt.cli.main import main

    main()


def _hush_native_messages() -> None:
    """Keeps C++ libraries off the terminal.

    TensorFlow 2.21 prints four lines about oneDNN and CUDA at import, straight to file descriptor 2, whatever
    TF_CPP_MIN_LOG_LEVEL says. `--debug` lets them through. A crash of the process itself is still told of, by
    faulthandler.
    """
    kept = os.dup(2)
    sys.stderr = os.fdopen(kept, "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    faulthandler.enable(file=sys.stderr)
