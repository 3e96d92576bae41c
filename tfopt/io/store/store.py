"""The artifact store: immutable folders under `saved_models/.store/`, found by their key.

An entry is built in a temporary folder, hashed, synced and renamed into place, so that it is there whole or not at
all. Whoever comes second with the same key finds it there and drops his own: both have the same content. An entry
whose bytes are not those that were stored is a miss, said as a warning, and moved out of the way.

With a remote store (`tfopt.io.store.remote`), the folder is the cache of what several machines share.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tfopt.errors import StoreError
from tfopt.io.store.archive import DamagedArchive
from tfopt.io.store.remote import RemoteStore
from tfopt.io.system.files import cannot_write, folder_hashes, sync_file, sync_folder, write_atomically

_ENTRY = "entry.json"
_PARTS = "key.json"
_FORMAT = 2


class Store:
    """Finished stage results by key.

    Args:
        root: the store's folder; made when first written.
        remote: entries that are not in the folder are fetched from here, and new ones shared there.
    """

    def __init__(self, root: Path, remote: RemoteStore | None = None) -> None:
        self.root = root
        self.remote = remote

    def folder(self, key: str) -> Path:
        """Path of the entry of a key, whether or not it exists."""
        return self.root / key[:2] / key

    def work_folder(self, key: str) -> Path:
        """Folder of the checkpoints of an unfinished attempt at a key; created if needed.

        Raises:
            StoreError: it cannot be made.
        """
        folder = self.root / "work" / key
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(folder, error) from error
        return folder

    def drop_work(self, key: str) -> None:
        """Removes the checkpoints of a stage that is finished."""
        shutil.rmtree(self.root / "work" / key, ignore_errors=True)

    def has(self, key: str) -> bool:
        """Whether there is an entry, here or in the remote store, without reading all of it.

        Raises:
            StoreError: the remote store cannot be reached.
        """
        return self._has_here(key) or (self.remote is not None and self.remote.has(key))

    def check_writable(self) -> None:
        """Finds out before any work whether the store, and the remote one, can be written.

        Raises:
            StoreError: one of them cannot.
        """
        with self.building("probe") as folder:
            write_atomically(folder / "probe", "")
        if self.remote is not None:
            self.remote.check_writable()

    def remove(self, key: str) -> None:
        """Forgets a key, here and in the remote store: its entry, and the checkpoints of an unfinished attempt.

        Raises:
            StoreError: the entry cannot be moved away.
        """
        self.drop_work(key)
        if self.folder(key).is_dir():
            shutil.rmtree(self._set_aside(self.folder(key)), ignore_errors=True)
        if self.remote is not None:
            self.remote.remove(key)

    def get(self, key: str, warn: Callable[[str], None]) -> tuple[Path, dict[str, object]] | None:
        """The verified entry of a key: its folder and the record stored with it, or None.

        An entry that only the remote store has is fetched first. A damaged one counts as missing; it is moved to
        `damaged/`, or removed from the remote store.

        Args:
            key: what is looked for.
            warn: receives a sentence when the entry is damaged.

        Raises:
            StoreError: the entry cannot be read at all (permissions), or the remote store cannot be reached.
        """
        found = self._get_here(key, warn)
        if found is None and self.remote is not None and self._fetch(key, self.remote, warn):
            found = self._get_here(key, warn)
        return found

    def share(self, key: str) -> None:
        """Uploads an entry of this folder to the remote store, unless there is none or it has it.

        Raises:
            StoreError: the upload failed; the entry stays here.
        """
        if self.remote is None:
            return
        folder = self.folder(key)
        try:
            if self.remote.has(key):
                return
            with self.building(key) as work:
                parts = (folder / _PARTS).read_bytes()
                self.remote.put(key, json.loads(parts)["kind"], parts, folder, work / "archive")
        except StoreError as error:
            raise StoreError(
                f"The finished stage is kept in {folder}, but is not shared. {error.message}",
                f"{error.hint} The same command shares it and goes on.",
                code="remote_store",
            ) from error

    def _has_here(self, key: str) -> bool:
        return (self.folder(key) / _ENTRY).is_file()

    def _get_here(self, key: str, warn: Callable[[str], None]) -> tuple[Path, dict[str, object]] | None:
        folder = self.folder(key)
        if not folder.is_dir():
            return None
        try:
            trouble, record = self._verify(folder)
        except OSError as error:
            raise StoreError(
                f"Cannot read the store entry {folder}: {error.strerror or error}.", code="cannot_read"
            ) from error
        if trouble is None:
            return folder, record
        warn(f"Store entry {key[:12]} is damaged ({trouble}); it is set aside and its stage runs again.")
        self._set_aside(folder)
        return None

    def _fetch(self, key: str, remote: RemoteStore, warn: Callable[[str], None]) -> bool:
        with self.building(key) as work:
            # An entry contains the name of its folder.
            folder = work / key
            try:
                if not remote.fetch(key, folder):
                    return False
                trouble, _ = self._verify(folder)
            except DamagedArchive as error:
                trouble = str(error)
            if trouble is None:
                self._settle(key, folder, folder_hashes(folder))
                return True
        warn(f"Entry {key[:12]} of the store {remote} is damaged ({trouble}); its stage runs again and replaces it.")
        remote.remove(key)
        return False

    @contextmanager
    def building(self, key: str) -> Iterator[Path]:
        """A temporary folder to build the entry of `key` in; nothing is stored until `commit`.

        Raises:
            StoreError: the store cannot be written.
        """
        try:
            temporary_root = self.root / "building"
            temporary_root.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix=f"{key[:12]}-", dir=temporary_root))
        except OSError as error:
            raise cannot_write(self.root, error) from error
        try:
            yield folder
        except OSError as error:
            raise cannot_write(folder, error) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def parts(self, kind: str) -> list[dict[str, object]]:
        """What the keys of entries of a kind of stage are made of, also of remote ones; unreadable ones are left out.

        Raises:
            StoreError: the remote store cannot be reached.
        """
        found: list[dict[str, object]] = []
        for path in sorted(self.root.glob(f"[0-9a-f][0-9a-f]/*/{_PARTS}")):
            try:
                parts = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            if isinstance(parts, dict) and parts.get("kind") == kind:
                found.append(parts)
        if self.remote is not None:
            found += self.remote.parts(kind, {path.name for path in self.entries()})
        return found

    def entries(self) -> list[Path]:
        """Folders of all entries here."""
        return sorted(path.parent for path in self.root.glob(f"[0-9a-f][0-9a-f]/*/{_ENTRY}"))

    def leftovers(self) -> list[Path]:
        """Folders of what was never finished or is damaged."""
        return sorted(path for name in ("building", "damaged", "work") for path in self.root.glob(f"{name}/*"))

    def commit(self, key: str, folder: Path, record: dict[str, object], parts: Mapping[str, object]) -> Path:
        """Renames a built folder into the store; `share` uploads it.

        Args:
            key: the entry's key.
            folder: what `building` gave.
            record: plain values to keep with the entry.
            parts: what the key is made of, so that a later miss can be explained.

        Returns:
            The entry's folder; that of another process if it was faster.

        Raises:
            StoreError: the store cannot be written.
        """
        final = self.folder(key)
        try:
            write_atomically(folder / _PARTS, json.dumps(parts, indent=1, sort_keys=True))
            hashes = folder_hashes(folder)
            content = {"format": _FORMAT, "key": key, "files": hashes, "record": record}
            entry = {**content, "sha256": _digest(content)}
            write_atomically(folder / _ENTRY, json.dumps(entry, indent=1, sort_keys=True))
            self._settle(key, folder, hashes)
        except OSError as error:
            raise cannot_write(final, error) from error
        return final

    def _settle(self, key: str, folder: Path, names: Iterable[str]) -> None:
        """Syncs the files of a complete entry and renames its folder, unless the entry exists."""
        final = self.folder(key)
        for name in names:
            sync_file(folder / name)
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.rename(folder, final)
        except OSError:
            if not self._has_here(key):
                raise
        sync_folder(final.parent)

    def _verify(self, folder: Path) -> tuple[str | None, dict[str, object]]:
        try:
            entry = json.loads((folder / _ENTRY).read_text(encoding="utf-8"))
            files, record, key, digest = entry["files"], entry["record"], entry["key"], entry.pop("sha256", None)
        except FileNotFoundError:
            return f"{_ENTRY} is missing", {}
        except (ValueError, KeyError, TypeError):
            return f"{_ENTRY} cannot be read", {}
        if entry.get("format") != _FORMAT or key != folder.name:
            return f"{_ENTRY} is of another entry or format", {}
        if digest != _digest(entry):
            return f"{_ENTRY} is not what was stored", {}
        found = folder_hashes(folder, leave_out=frozenset({_ENTRY}))
        different = sorted(name for name in files.keys() | found.keys() if files.get(name) != found.get(name))
        return (f"{different[0]} is not what was stored" if different else None), record

    def _set_aside(self, folder: Path) -> Path:
        try:
            aside = self.root / "damaged"
            aside.mkdir(parents=True, exist_ok=True)
            target = Path(tempfile.mkdtemp(prefix=f"{folder.name[:12]}-", dir=aside))
            os.rename(folder, target)
        except OSError as error:
            raise cannot_write(folder, error) from error
        return target


def _digest(entry: Mapping[str, object]) -> str:
    """SHA-256 of plain values, however they are laid out in the file."""
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()
