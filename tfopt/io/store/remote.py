"""A store that several machines share, at any URL that the package fsspec can reach.

One object per entry, `<key>.zip` (see `tfopt.io.store.archive`). It is uploaded under a name of its own and then moved.
A file system renames it; an object store has no rename, but copies on its side and shows an object only once it is
complete. Either way a reader sees the whole entry or none, and of two that upload the same key the last one wins, with
the same content. What the key is made of is stored in `<key>.<kind>.json`, and is written first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

from tfopt.errors import EnvironmentProblem, StoreError, UsageError
from tfopt.io.store.archive import pack, unpack

_USERINFO = re.compile(r"://([^/]*)@")
_FILE_SYSTEM_PATH = re.compile(r"/|[A-Za-z]:/")
"""Paths in object stores begin with the name of a bucket."""
_MOST_PARTS = 64
"""How many key parts are read to explain a miss: each is a request of its own."""


class RemoteStore:
    """Entries at a URL.

    Args:
        url: a folder or a prefix, e.g. `s3://bucket/tfopt` or `file:///mnt/shared/tfopt`. Credentials come from
            fsspec's own configuration.

    Raises:
        UsageError: this is not a URL, or of a protocol that fsspec does not support.
        EnvironmentProblem: fsspec, or the package for this protocol, is not installed.
        StoreError: the URL cannot be reached.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        if "://" not in url:
            raise UsageError(
                f"The store {url!r} is not a URL.",
                "Give one such as s3://bucket/folder or file:///mnt/shared/folder.",
                code="invalid_store_url",
            )
        try:
            from fsspec.core import url_to_fs
            from fsspec.registry import get_filesystem_class
        except ImportError as error:
            raise EnvironmentProblem(
                "A store at a URL needs the package fsspec.",
                "pip install 'tfopt[remote]'",
                code="missing_package",
            ) from error
        protocol = url.partition("://")[0].partition("::")[0]
        try:
            get_filesystem_class(protocol)
        except ImportError as error:
            raise EnvironmentProblem(
                f"The store {self} needs another package: {error}.", code="missing_package"
            ) from error
        except ValueError as error:
            raise UsageError(
                f"fsspec knows no protocol {protocol!r} (store {self}).", code="invalid_store_url"
            ) from error
        with self._reaching("reach"):
            self.files, path = url_to_fs(url)
        self.path = path.rstrip("/")

    def __str__(self) -> str:
        """The URL without user and password."""
        return _USERINFO.sub("://", self.url)

    def check_writable(self) -> None:
        """Finds out before any work whether the store can be written; makes its folder if need be, but no bucket.

        Raises:
            StoreError: it cannot, or not be reached.
        """
        probe = f"{self.path}/{uuid4().hex}.part"
        with self._reaching("write"):
            # Not in an object store: it has no folders, and s3fs would make a bucket out of a mistyped name.
            if _FILE_SYSTEM_PATH.match(self.path):
                self.files.makedirs(self.path, exist_ok=True)
            self.files.pipe_file(probe, b"probe")
            self.files.rm_file(probe)

    def has(self, key: str) -> bool:
        """Whether there is an entry, without reading it.

        Raises:
            StoreError: the store cannot be reached.
        """
        with self._reaching("read"):
            self.files.invalidate_cache()
            try:
                # Not `exists`, which takes an unreachable server for a missing file.
                self.files.info(self._entry(key))
            except FileNotFoundError:
                return False
        return True

    def fetch(self, key: str, folder: Path) -> bool:
        """Downloads an entry.

        Args:
            key: what is looked for.
            folder: where its files go; made, and not there before.

        Returns:
            Whether there was an entry.

        Raises:
            DamagedArchive: the entry is not what was uploaded.
            StoreError: the store cannot be read.
        """
        if not self.has(key):
            return False
        archive = folder.with_suffix(".zip")
        with self._reaching("read"):
            try:
                self.files.get_file(self._entry(key), str(archive))
            except FileNotFoundError:
                return False
        unpack(archive, folder)
        return True

    def put(self, key: str, kind: str, parts: bytes, folder: Path, archive: Path) -> None:
        """Uploads an entry, and replaces one that exists.

        An upload that is killed leaves a `.part` object behind, which nobody reads.

        Args:
            key: the entry's key.
            kind: of which kind its stage is.
            parts: what the key is made of, as JSON.
            folder: the files of the entry.
            archive: where to pack them; not there before.

        Raises:
            StoreError: the store cannot be written.
        """
        pack(folder, archive)
        temporary = f"{self.path}/{key}.{uuid4().hex}.part"
        with self._reaching("write"):
            self.files.pipe_file(f"{self.path}/{key}.{kind}.json", parts)
            self.files.put_file(str(archive), temporary)
            self.files.mv(temporary, self._entry(key))

    def remove(self, key: str) -> None:
        """Forgets an entry, if there is one.

        Raises:
            StoreError: it cannot be removed.
        """
        if self.has(key):
            with self._reaching("write"):
                try:
                    self.files.rm_file(self._entry(key))
                except FileNotFoundError:
                    return

    def parts(self, kind: str, leave_out: Collection[str]) -> list[dict[str, object]]:
        """What the keys of entries of a kind of stage are made of, of at most 64; unreadable ones are left out.

        Args:
            kind: the kind of stage.
            leave_out: keys that are known already.

        Raises:
            StoreError: the store cannot be read.
        """
        with self._reaching("read"):
            self.files.invalidate_cache()
            try:
                names = sorted(self.files.ls(self.path, detail=False))
            except FileNotFoundError:
                return []
            wanted = [
                name
                for name in names
                if name.endswith(f".{kind}.json") and name.rpartition("/")[2].partition(".")[0] not in leave_out
            ]
            contents = self.files.cat(wanted[:_MOST_PARTS], on_error="omit") if wanted else {}
        found = [_parsed(content) for content in contents.values()]
        return [parts for parts in found if parts is not None]

    def _entry(self, key: str) -> str:
        return f"{self.path}/{key}.zip"

    @contextmanager
    def _reaching(self, verb: str) -> Iterator[None]:
        """Turns whatever a driver raises into one error that names the URL, and no password."""
        try:
            yield
        except ImportError as error:
            raise EnvironmentProblem(
                f"The store {self} needs another package: {error}.", code="missing_package"
            ) from error
        except Exception as error:  # noqa: BLE001 each driver of fsspec raises what its own client library does
            message = str(error).strip()
            cause = f"{type(error).__name__}: {message}" if message else type(error).__name__
            public = self._without_secrets(cause)
            raise StoreError(
                f"Cannot {verb} the store {self}: {public.rstrip('.')}.",
                "Check the URL, the network, and the credentials in fsspec's configuration.",
                # A traceback would show the original message.,
                code="remote_store",
            ) from (error if public == cause else None)

    def _without_secrets(self, text: str) -> str:
        found = _USERINFO.search(self.url)
        if found is None:
            return text
        userinfo = found.group(1)
        password = userinfo.partition(":")[2]
        text = text.replace(f"{userinfo}@", "")
        for secret in filter(None, (password, unquote(password))):
            text = text.replace(secret, "***")
        return text


def _parsed(content: bytes) -> dict[str, object] | None:
    try:
        parts = json.loads(content)
    except ValueError:
        return None
    return parts if isinstance(parts, dict) else None
