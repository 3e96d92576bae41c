"""An adb server that speaks the protocol of the real one, with phones of a test's making behind it.

adbutils connects to it over a socket, as to `adb start-server`: the requests `host:version`, `host:devices`,
`host:tport:serial:...`, then `shell:...` or `sync:` with STAT and SEND.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PROPERTIES = """\
[ro.product.manufacturer]: [Google]
[ro.product.model]: [Pixel 8]
[ro.build.version.release]: [15]
[ro.soc.manufacturer]: [Google]
[ro.soc.model]: [Tensor G3]
[ro.product.cpu.abilist]: [arm64-v8a]
"""


@dataclass
class FakePhone:
    """A phone: what its commands print.

    Args:
        state: as `adb devices` says it.
        properties: what `getprop` prints.
        tool: output and exit code of `benchmark_model`, by its command line; the output None: the cable is pulled.
        hangs: the tool never ends.
        files: what was pushed, by path.
        commands: what the shell was asked.
    """

    state: str = "device"
    properties: str = PROPERTIES
    thermal: str = "IsStatusOverride: false\nThermal Status: 0\n"
    tool: Callable[[str], tuple[str | None, int]] = lambda command: ("", 1)
    hangs: bool = False
    log: str = ""
    full: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)

    def shell(self, command: str) -> str | None:
        """What a command prints; None where the connection ends instead."""
        self.commands.append(command)
        if command == "getprop":
            return self.properties
        if command == "dumpsys thermalservice":
            return self.thermal
        if command.startswith("logcat"):
            return self.log
        if made := re.match(r"mkdir -p (\S+) && echo made", command):
            self.files[made[1]] = b""
            return "made\n"
        if gone := re.match(r"rm -r?f (\S+)", command):
            self.files = {path: content for path, content in self.files.items() if not path.startswith(gone[1])}
            return ""
        if "./benchmark_model" in command:
            printed, code = self.tool(command)
            return None if printed is None else f"TFOPT_PID:4242\n{printed}\nTFOPT_EXIT:{code}\n"
        return ""


@contextmanager
def adb_server(phones: dict[str, FakePhone]) -> Iterator[int]:
    """Runs a server for as long as the context lasts; gives its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_serve, args=(listening, phones), daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()


def _serve(listening: socket.socket, phones: dict[str, FakePhone]) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(connection, phones), daemon=True).start()


def _answer(connection: socket.socket, phones: dict[str, FakePhone]) -> None:
    with connection:
        phone: FakePhone | None = None
        while (request := _request(connection)) is not None:
            if request == "host:version":
                connection.sendall(b"OKAY" + _block("0029"))
                return
            if request == "host:devices":
                listed = "".join(f"{serial}\t{phone.state}\n" for serial, phone in phones.items())
                connection.sendall(b"OKAY" + _block(listed))
                return
            if request.startswith("host:tport:serial:"):
                phone = phones[request.rpartition(":")[2]]
                connection.sendall(b"OKAY" + bytes(8))
            elif request.startswith("shell:") and phone is not None:
                connection.sendall(b"OKAY")
                _shell(connection, phone, request.removeprefix("shell:"))
                return
            elif request == "sync:" and phone is not None:
                connection.sendall(b"OKAY")
                _sync(connection, phone)
                return
            else:
                connection.sendall(b"FAIL" + _block(f"unknown request {request}"))
                return


def _shell(connection: socket.socket, phone: FakePhone, command: str) -> None:
    if phone.hangs and "./benchmark_model" in command:
        phone.commands.append(command)
        connection.sendall(b"TFOPT_PID:4242\nINFO: STARTING!\n")
        while not any(one.startswith("kill") for one in phone.commands):
            time.sleep(0.01)
        return
    printed = phone.shell(command)
    if printed is not None:
        connection.sendall(printed.encode())


def _sync(connection: socket.socket, phone: FakePhone) -> None:
    kind, length = connection.recv(4), struct.unpack("<I", _exactly(connection, 4))[0]
    path = _exactly(connection, length).decode()
    if kind == b"STAT":
        content = phone.files.get(path)
        connection.sendall(b"STAT" + struct.pack("<III", 0 if content is None else 0o100644, len(content or b""), 1))
        return
    content = b""
    while _exactly(connection, 4) == b"DATA":
        content += _exactly(connection, struct.unpack("<I", _exactly(connection, 4))[0])
    _exactly(connection, 4)  # the time of change
    phone.files[path.rpartition(",")[0]] = content
    connection.sendall(b"FAIL" if phone.full else b"OKAY")


def _request(connection: socket.socket) -> str | None:
    length = _exactly(connection, 4)
    return _exactly(connection, int(length, 16)).decode() if len(length) == 4 else None


def _exactly(connection: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length and (part := connection.recv(length - len(found))):
        found += part
    return found


def _block(text: str) -> bytes:
    return f"{len(text):04x}{text}".encode()
