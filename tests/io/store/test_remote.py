"""A store shared at a URL, seen from several machines: each has a local store of its own."""

from __future__ import annotations

import builtins
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.support.errors import refused
from tests.support.root import REPOSITORY
from tfopt.errors import EnvironmentProblem, StoreError, UsageError
from tfopt.io.store.archive import pack
from tfopt.io.store.remote import RemoteStore
from tfopt.io.store.store import Store
from tfopt.io.system.files import folder_hashes

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed: pip install 'tfopt[remote]'")

KEY, OTHER = "ab" + "0" * 62, "cd" + "0" * 62
PARTS = {"kind": "train", "seed": 1}


@pytest.fixture(params=["file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A shared place that is not there yet."""
    if request.param == "file":
        yield (tmp_path / "shared" / "store").as_uri()
        return
    name = uuid4().hex
    yield f"memory://{name}/store"
    files = fsspec.filesystem("memory")
    if files.exists(f"/{name}"):
        files.rm(f"/{name}", recursive=True)


def machine(root: Path, url: str) -> Store:
    return Store(root, RemoteStore(url))


def build(store: Store, key: str = KEY, content: str = "weights", parts: dict[str, Any] = PARTS) -> None:
    """Does what a run does."""
    store.check_writable()
    with store.building(key) as folder:
        (folder / "model" / "assets").mkdir(parents=True)
        (folder / "model" / "data").write_text(content)
        store.commit(key, folder, {"seconds": 1.5}, parts)
    store.share(key)


def get(store: Store, key: str = KEY) -> tuple[tuple[Path, dict[str, Any]] | None, list[str]]:
    warnings: list[str] = []
    return store.get(key, warnings.append), warnings


def names(url: str) -> list[str]:
    files, path = fsspec.core.url_to_fs(url)
    return sorted(name.rpartition("/")[2] for name in files.ls(path, detail=False))


def test_what_one_machine_builds_another_fetches_and_then_has_itself(url: str, tmp_path: Path) -> None:
    first, second = machine(tmp_path / "1", url), machine(tmp_path / "2", url)
    assert not second.has(KEY)
    assert get(second) == (None, [])
    build(first)
    assert second.has(KEY)
    assert not Store(tmp_path / "2").has(KEY)
    found, warnings = get(second)
    assert found is not None
    assert found[1] == {"seconds": 1.5}
    assert folder_hashes(found[0]) == folder_hashes(first.folder(KEY))
    assert (found[0] / "model" / "assets").is_dir()
    assert warnings == []
    assert get(Store(tmp_path / "2"))[0] == found
    assert not any((tmp_path / "2" / "building").iterdir())
    assert names(url) == [f"{KEY}.train.json", f"{KEY}.zip"]


def test_an_entry_that_only_this_machine_has_is_shared_when_it_is_used(url: str, tmp_path: Path) -> None:
    build(Store(tmp_path / "1"))
    first = machine(tmp_path / "1", url)
    first.check_writable()
    assert not machine(tmp_path / "2", url).has(KEY)
    assert get(first)[0] is not None
    first.share(KEY)
    assert get(machine(tmp_path / "2", url))[0] is not None


def test_why_a_stage_is_missing_is_known_of_remote_entries_too(url: str, tmp_path: Path) -> None:
    first, second = machine(tmp_path / "1", url), machine(tmp_path / "2", url)
    assert second.parts("train") == []
    build(first)
    build(first, OTHER, parts={"kind": "prune", "seed": 2})
    assert second.parts("train") == [PARTS]
    assert second.parts("prune") == [{"kind": "prune", "seed": 2}]
    assert first.parts("train") == [PARTS], "an entry that is here too is told once"
    with fsspec.open(f"{url}/{KEY}.train.json", "w") as file:
        file.write('{"kind": ')
    assert second.parts("train") == []


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "of another key", "a file of the entry"])
def test_a_damaged_remote_entry_is_a_warning_and_a_miss_and_is_replaced(url: str, tmp_path: Path, damage: str) -> None:
    first, second, third = (machine(tmp_path / name, url) for name in "123")
    build(first)
    with fsspec.open(f"{url}/{KEY}.zip", "rb") as file:
        content = file.read()
    if damage == "flip":
        content = content[:100] + bytes([content[100] ^ 1]) + content[101:]
    elif damage == "truncate":
        content = content[: len(content) // 2]
    elif damage == "empty":
        content = b""
    else:
        # Well packed, but not what was stored: only the hashes in entry.json can tell.
        folder = first.folder(KEY)
        if damage == "of another key":
            entry = json.loads((folder / "entry.json").read_text())
            (folder / "entry.json").write_text(json.dumps({**entry, "key": OTHER}))
        else:
            (folder / "model" / "data").write_text("weightz")
        pack(folder, tmp_path / "archive")
        content = (tmp_path / "archive").read_bytes()
    with fsspec.open(f"{url}/{KEY}.zip", "wb") as file:
        file.write(content)
    found, warnings = get(second)
    assert found is None
    assert len(warnings) == 1
    assert f"of the store {url} is damaged" in warnings[0]
    assert not Store(tmp_path / "2").has(KEY)
    build(second, content="again")
    found, warnings = get(third)
    assert found is not None
    assert (found[0] / "model" / "data").read_text() == "again"
    assert warnings == []


def test_a_removed_key_is_gone_everywhere_so_that_a_fresh_run_is_fresh(url: str, tmp_path: Path) -> None:
    first = machine(tmp_path / "1", url)
    build(first)
    first.remove(KEY)
    assert not first.has(KEY)
    assert get(machine(tmp_path / "2", url)) == (None, [])
    first.remove(KEY)


def test_threads_that_upload_and_fetch_the_same_key_all_end_well(url: str, tmp_path: Path) -> None:
    start, failures = threading.Barrier(6), []

    def work(number: int) -> None:
        store = machine(tmp_path / str(number), url)
        try:
            start.wait()
            for _ in range(5):
                found, warnings = get(store)
                if found is None:
                    build(store)
                    found, warnings = get(store)
                if found is None or warnings or (found[0] / "model" / "data").read_text() != "weights":
                    failures.append((found, warnings))
        except Exception as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert names(url) == [f"{KEY}.train.json", f"{KEY}.zip"]
    assert get(machine(tmp_path / "last", url))[0] is not None


UPLOADER = """
import sys
from pathlib import Path
from tests.io.store.test_remote import build, get, machine
for number in range(10):
    key = f"{number:02x}" + "0" * 62
    store = machine(Path(sys.argv[1]), sys.argv[2])
    build(store, key)
    assert get(store, key)[0] is not None
"""


def test_two_processes_that_upload_the_same_keys_both_end_well(tmp_path: Path) -> None:
    url = (tmp_path / "shared").as_uri()
    processes = [
        subprocess.Popen([sys.executable, "-c", UPLOADER, str(tmp_path / name), url], cwd=REPOSITORY) for name in "12"
    ]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    reader = machine(tmp_path / "3", url)
    for number in range(10):
        found, warnings = get(reader, f"{number:02x}" + "0" * 62)
        assert found is not None
        assert warnings == []


def test_an_upload_that_breaks_off_shows_no_entry_and_keeps_the_local_one(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = machine(tmp_path / "1", url)

    def broken(*_: Any) -> None:
        raise ConnectionResetError("Connection reset by peer")

    with monkeypatch.context() as patch:
        patch.setattr(type(store.remote.files), "mv", broken)  # type: ignore[union-attr]
        with pytest.raises(
            StoreError, match=r"kept in .*, but is not shared\. Cannot write the store .*Connection reset"
        ):
            build(store)
    assert not machine(tmp_path / "2", url).has(KEY)
    assert get(store)[0] is not None
    store.share(KEY)
    assert get(machine(tmp_path / "2", url))[0] is not None


@pytest.fixture
def closed_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_a_server_that_does_not_answer_is_one_error_with_url_and_cause_and_without_password(closed_port: int) -> None:
    with refused(StoreError, "remote_store", "Connection refused") as caught:
        RemoteStore(f"ftp://anna:s3cr%40t@127.0.0.1:{closed_port}/store")
    assert caught.value.exit_code == 6
    assert f"Cannot reach the store ftp://127.0.0.1:{closed_port}/store: " in str(caught.value)
    assert "anna" not in str(caught.value)
    assert "fsspec's configuration" in caught.value.hint


def test_what_a_driver_says_is_told_without_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RemoteStore("memory://anna:s3cr%40t@host/store")

    def refuse(*_: Any, **__: Any) -> None:
        raise RuntimeError("denied: memory://anna:s3cr%40t@host/store, password s3cr@t.")

    monkeypatch.setattr(type(store.files), "info", refuse)
    with refused(StoreError, "remote_store", "denied") as caught:
        store.has(KEY)
    assert "Cannot read the store memory://host/store: RuntimeError: denied" in str(caught.value)
    assert not any(secret in str(caught.value) for secret in ("anna", "s3cr"))
    assert caught.value.__cause__ is None, "a traceback would show it"


def test_a_place_that_cannot_be_written_or_reached_is_found_out_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    url = (tmp_path / "file" / "store").as_uri()
    store = machine(tmp_path / "1", url)
    with refused(StoreError, "remote_store", "write", "/file/store", "NotADirectoryError"):
        store.check_writable()
    with refused(StoreError, "remote_store", "read"):
        store.has(KEY)
    with refused(StoreError, "remote_store", "read"):
        store.parts("train")


def test_what_is_no_url_is_a_usage_error() -> None:
    with refused(UsageError, "invalid_store_url", "'s3:/bucket'"):
        RemoteStore("s3:/bucket")
    with refused(UsageError, "invalid_store_url", "'gopher'", "gopher://host/x"):
        RemoteStore("gopher://anna:secret@host/x")


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    importing = builtins.__import__

    def importer(missing: str) -> Any:
        def importing_all_but_one(name: str, *arguments: Any, **keywords: Any) -> Any:
            if name.split(".")[0] == missing:
                raise ImportError(f"No module named '{missing}'")
            return importing(name, *arguments, **keywords)

        return importing_all_but_one

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", importer("fsspec"))
        with refused(EnvironmentProblem, "missing_package", "pip install 'tfopt[remote]'"):
            RemoteStore("memory://x")
    for module in ("s3fs", "s3fs.core"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setattr(builtins, "__import__", importer("s3fs"))
    with refused(EnvironmentProblem, "missing_package", "s3://bucket/x", "Install s3fs"):
        RemoteStore("s3://bucket/x")
