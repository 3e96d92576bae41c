"""A phone at the other end of adb: chosen, written to, and made to run a command; each way to fail is one sentence."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tfopt.errors import EnvironmentProblem, UsageError

if TYPE_CHECKING:
    import adbutils

_END, _BEGIN = "TFOPT_EXIT:", "TFOPT_PID:"
_QUICK = 20.0
"""Seconds for a command that answers at once."""
_STATES = {
    "unauthorized": "does not trust this computer yet. Unlock it, allow USB debugging in the dialog, and repeat",
    "offline": "is offline. Reconnect the cable, or run `adb reconnect`",
    "recovery": "is in recovery mode. Start Android",
    "bootloader": "is in its bootloader. Start Android",
    "no": "may not be opened by this user: there is no permission for the USB device (udev rules)",
}


class PhoneTimeout(Exception):
    """A command on the phone took too long; it was ended."""


@dataclass(frozen=True)
class Phone:
    """A phone that answers.

    Args:
        serial: as adb names it.
        device: that of adbutils.
    """

    serial: str
    device: adbutils.AdbDevice

    def shell(self, command: str) -> str:
        """What a quick command prints.

        Raises:
            EnvironmentProblem: the phone is gone.
        """
        with _connection(self.serial):
            return str(self.device.shell(command, timeout=_QUICK))

    def push(self, source: Path, target: str, mode: int = 0o644) -> None:
        """Copies a file to the phone.

        Raises:
            EnvironmentProblem: it does not fit, or the phone is gone.
        """
        with _connection(self.serial, f"{source.name} could not be copied to the phone (is its storage full?)"):
            self.device.sync.push(source, target, mode, check=True)

    def run(self, command: str, seconds: float) -> tuple[int, str, str]:
        """Runs a command that takes a while.

        Args:
            command: for the phone's shell, without single quotes; it ends in `exec`, so that the shell's id is its own.
            seconds: after which it is ended.

        Returns:
            Its exit code, what it printed, and its process id.

        Raises:
            PhoneTimeout: it took too long.
            EnvironmentProblem: the phone was disconnected meanwhile.
        """
        printed, deadline = b"", time.monotonic() + seconds
        with _connection(self.serial):
            channel = self.device.open_shell(f"sh -c 'echo {_BEGIN}$$; {command}' 2>&1; echo {_END}$?")
            try:
                while chunk := self._receive(channel, deadline, printed):
                    printed += chunk
            finally:
                channel.close()
        text = printed.decode("utf-8", errors="replace").replace("\r\n", "\n")
        ended = re.search(rf"{_END}(\d+)\s*$", text)
        if ended is None:
            raise EnvironmentProblem(
                f"The phone {self.serial} was disconnected while it ran benchmark_model.",
                "Check the cable and repeat.",
                code="phone_lost",
            )
        begun = re.match(rf"{_BEGIN}(\d+)\n", text)
        printed_text = text[begun.end() if begun else 0 : ended.start()]
        return int(ended[1]), printed_text, begun[1] if begun else ""

    def _receive(self, channel: adbutils.AdbConnection, deadline: float, so_far: bytes) -> bytes:
        left = deadline - time.monotonic()
        try:
            if left <= 0:
                raise TimeoutError
            channel.conn.settimeout(left)
            received: bytes = channel.conn.recv(65536)
        except TimeoutError as error:
            channel.close()
            process = re.search(rb"TFOPT_PID:(\d+)", so_far)
            if process is not None:
                self.shell(f"kill -9 {process[1].decode()}")
            raise PhoneTimeout from error
        return received


def connect(serial: str | None) -> Phone:
    """The phone to measure on.

    Args:
        serial: of the phone; None for ANDROID_SERIAL, else for the only one.

    Raises:
        EnvironmentProblem: adbutils is missing, no adb server runs, or no phone is ready.
        UsageError: several phones are connected, or none of that serial.
    """
    try:
        import adbutils
    except ModuleNotFoundError as error:
        raise EnvironmentProblem(
            "--adb needs the package adbutils.", 'Install it: pip install "tfopt[adb]".', code="missing_package"
        ) from error
    with _connection(""):
        client = adbutils.AdbClient(socket_timeout=_QUICK)
        found = {info.serial: info.state for info in client.list()}
    wanted = serial or os.environ.get("ANDROID_SERIAL")
    if not found:
        raise EnvironmentProblem(
            "No phone is connected: adb lists no device.",
            "Switch on USB debugging in the phone's developer options and connect it; `adb devices` must list it.",
            code="phone_not_ready",
        )
    if wanted is None and len(found) > 1:
        ready = [name for name, state in found.items() if state == "device"]
        if len(ready) != 1:
            raise UsageError(
                f"Several phones are connected: {', '.join(f'{name} ({state})' for name, state in found.items())}.",
                "Say which with --serial.",
                code="phone_not_ready",
            )
        wanted = ready[0]
    wanted = wanted or next(iter(found))
    if wanted not in found:
        raise UsageError(f"No phone {wanted!r} is connected. Connected: {', '.join(found)}.", code="phone_not_ready")
    if found[wanted] != "device":
        why = _STATES.get(found[wanted], f"is not ready: adb says {found[wanted]!r}")
        raise EnvironmentProblem(f"The phone {wanted} {why}.", code="phone_not_ready")
    with _connection(wanted):
        return Phone(wanted, client.device(serial=wanted))


@contextmanager
def _connection(serial: str, what: str = "") -> Iterator[None]:
    """Turns what adbutils raises into an error of one sentence."""
    from adbutils.errors import AdbConnectionError, AdbError

    try:
        yield
    except (AdbError, OSError, EOFError, AssertionError, ValueError, subprocess.SubprocessError) as error:
        if isinstance(error, AdbConnectionError) or not (serial or what):
            raise EnvironmentProblem(
                f"There is no adb server, and none could be started ({_said(error)}).",
                "Install Android's platform-tools and run `adb start-server`.",
                code="phone_not_ready",
            ) from error
        if what:
            raise EnvironmentProblem(
                f"{what} ({_said(error)}).", "Check its free storage and the cable, and repeat.", code="phone_tool"
            ) from error
        about = f"The phone {serial} does not answer: it was disconnected, or adb was restarted"
        raise EnvironmentProblem(
            f"{about} ({_said(error)}).", "Check the cable and repeat.", code="phone_lost"
        ) from error


def _said(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
