from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from tests.support.errors import refused
from tfopt.errors import StoreError
from tfopt.io.store.store import Store

KEY = "ab" + "0" * 62


def put(store: Store, key: str = KEY, content: str = "weights") -> Path:
    with store.building(key) as folder:
        (folder / "model").mkdir()
        (folder / "model" / "data").write_text(content)
        return store.commit(key, folder, {"seconds": 1.5}, {"kind": "train", "seed": 1})


def get(store: Store, key: str = KEY) -> tuple[tuple[Path, dict[str, object]] | None, list[str]]:
    warnings: list[str] = []
    return store.get(key, warnings.append), warnings


def test_what_is_committed_is_found_with_its_record(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store)
    found, warnings = get(store)
    assert found is not None
    folder, record = found
    assert (folder / "model" / "data").read_text() == "weights"
    assert record == {"seconds": 1.5}
    assert warnings == []


def test_what_keys_are_made_of_is_known_by_kind(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store)
    assert store.parts("train") == [{"kind": "train", "seed": 1}]
    assert store.parts("prune") == []


def test_what_is_built_but_not_committed_is_not_there(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.building(KEY) as folder:
        (folder / "data").write_text("half")
    assert get(store) == (None, [])
    assert not any((tmp_path / "building").iterdir())


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove", "add", "record", "changed record", "wrong key"])
def test_a_damaged_entry_is_a_warning_and_a_miss_and_can_be_built_again(tmp_path: Path, damage: str) -> None:
    store = Store(tmp_path)
    folder = put(store)
    data, entry = folder / "model" / "data", folder / "entry.json"
    if damage == "flip":
        data.write_text("weightz")
    elif damage == "truncate":
        data.write_text("")
    elif damage == "remove":
        data.unlink()
    elif damage == "add":
        (folder / "model" / "more").write_text("")
    elif damage == "record":
        entry.write_text("{")
    elif damage == "changed record":
        entry.write_text(json.dumps({**json.loads(entry.read_text()), "record": {"accuracy": 1.0}}))
    else:
        entry.write_text(json.dumps({**json.loads(entry.read_text()), "key": "cd"}))
    found, warnings = get(store)
    assert found is None
    assert len(warnings) == 1
    assert "damaged" in warnings[0]
    put(store)
    assert get(store)[0] is not None


def test_the_second_of_two_builders_takes_what_the_first_stored(tmp_path: Path) -> None:
    store, other = Store(tmp_path), Store(tmp_path)
    with store.building(KEY) as first, other.building(KEY) as second:
        for folder in (first, second):
            (folder / "data").write_text("weights")
        store.commit(KEY, first, {"who": 1}, {})
        other.commit(KEY, second, {"who": 2}, {})
    found, _ = get(store)
    assert found is not None
    assert found[1] == {"who": 1}


def test_a_removed_key_is_gone_with_its_checkpoints(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store)
    (store.work_folder(KEY) / "checkpoint").write_text("")
    store.remove(KEY)
    assert not store.has(KEY)
    assert not any(store.work_folder(KEY).iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_found_out_before_any_work(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with refused(StoreError, "cannot_write"):
        Store(tmp_path / "store").check_writable()


def test_a_file_in_the_way_is_found_out_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with refused(StoreError, "cannot_write", "out"):
        Store(tmp_path / "out" / ".store").check_writable()


@pytest.mark.parametrize("call", ["rename", "fsync"])
def test_a_full_disk_is_one_clear_error_and_leaves_no_half_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = Store(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with refused(StoreError, "cannot_write", "No space left on device"):
            put(store)
    assert get(store) == (None, [])
    put(store)
    assert get(store)[0] is not None
