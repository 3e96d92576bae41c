"""Many files: their paths, and a look at them."""

from __future__ import annotations

from pathlib import Path

from tfopt.backend.data.arrays.paths import FilesBelow, files_below


def test_files_are_found_down_to_a_depth(tmp_path: Path) -> None:
    for name in ("a.txt", "one/b.txt", "one/two/c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [{entry.name for entry in files_below(tmp_path, depth)} for depth in (1, 2, 3)]
    assert found == [{"a.txt"}, {"a.txt", "b.txt"}, {"a.txt", "b.txt", "c.txt"}]


def test_paths_are_made_of_names() -> None:
    found = FilesBelow(Path("folder"), ["a/1.jpg", "b/2.jpg", "b/3.jpg"])
    assert list(found) == [Path("folder/a/1.jpg"), Path("folder/b/2.jpg"), Path("folder/b/3.jpg")]
    assert (len(found), found[-1], list(found[1:])) == (3, Path("folder/b/3.jpg"), list(found)[1:])
