from __future__ import annotations

from pathlib import Path

import pytest

from tfopt.io.store.archive import DamagedArchive, pack, unpack
from tfopt.io.system.files import folder_hashes


def test_a_folder_comes_back_as_it_was_with_its_empty_folders(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "model" / "assets").mkdir(parents=True)
    (folder / "model" / "weights").write_bytes(bytes(range(256)) * 40)
    (folder / "entry.json").write_text("{}")
    pack(folder, tmp_path / "archive")
    unpack(tmp_path / "archive", tmp_path / "back")
    assert folder_hashes(tmp_path / "back") == folder_hashes(folder)
    assert (tmp_path / "back" / "model" / "assets").is_dir()


def test_every_changed_byte_and_every_missing_end_is_noticed_before_anything_is_unpacked(tmp_path: Path) -> None:
    folder, archive = tmp_path / "folder", tmp_path / "archive"
    folder.mkdir()
    (folder / "weights").write_bytes(b"weights" * 9)
    pack(folder, archive)
    whole = archive.read_bytes()
    flipped = [whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :] for at in range(len(whole))]
    for content in [*flipped, *(whole[:at] for at in range(len(whole)))]:
        archive.write_bytes(content)
        with pytest.raises(DamagedArchive, match="not those that were uploaded"):
            unpack(archive, tmp_path / "back")
    assert not (tmp_path / "back").exists()
