"""Why a stage is not in the store."""

from __future__ import annotations

from pathlib import Path

from tfopt.engine.keys import why_missing
from tfopt.io.store.store import Store

KEY = "ab" + "0" * 62
PARTS = {"kind": "train", "seed": 1}


def test_an_entry_of_which_only_the_key_is_left_is_missing_for_a_reason(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.building(KEY) as folder:
        store.commit(KEY, folder, {}, PARTS)
    (store.folder(KEY) / "entry.json").unlink()
    assert not store.has(KEY)
    assert why_missing(PARTS, store, []) == "its entry in the store is incomplete"
    assert why_missing({**PARTS, "seed": 2}, store, []) == "seed was 1 and is 2"
