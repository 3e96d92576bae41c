"""One builder per key."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tfopt.errors import StoreError, UsageError
from tfopt.io.store.locks import key_lock, sole_user


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        with key_lock(tmp_path, "abc", waiting.set):
            order.append("second")

    thread = threading.Thread(target=second)
    with key_lock(tmp_path, "abc"):
        thread.start()
        assert waiting.wait(30)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_other_keys_do_not_wait(tmp_path: Path) -> None:
    with key_lock(tmp_path, "abc"), key_lock(tmp_path, "def", pytest.fail):
        pass


def test_a_lock_left_by_a_dead_process_holds_nobody_up(tmp_path: Path) -> None:
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "abc.lock").write_text("4711")
    with key_lock(tmp_path, "abc", pytest.fail):
        pass


def test_a_store_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"Cannot write .*locks"), key_lock(tmp_path, "abc"):
        pass


def test_a_folder_has_one_user(tmp_path: Path) -> None:
    refused = pytest.raises(UsageError, match="Sweep 1 is being run by another process")
    with sole_user(tmp_path, "Sweep 1"), refused, sole_user(tmp_path, "Sweep 1"):
        pass
    with sole_user(tmp_path, "Sweep 1"):
        pass
