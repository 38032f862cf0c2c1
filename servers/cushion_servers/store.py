"""The object store: immutable media objects under content-hash names, and manifests under title names.

Names are relative, `/`-separated and checked: no empty, dot or dot-dot parts, so no name can leave the store.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import re
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from cushion_servers.errors import NotFound, StoreError, StoreFull

if TYPE_CHECKING:
    from obstore.store import LocalStore

_SAFE_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")
_STAGED = re.compile(r"#\d+$")
_NO_SPACE_TEXTS = ("no space left", f"os error {errno.ENOSPC}", "disk quota exceeded", "not enough space")


class ObjectInfo(NamedTuple):
    """What a HEAD can tell. `tag` changes whenever the bytes change."""

    size_bytes: int
    tag: str


class ObjectStore(Protocol):
    """The port behind which media bytes are kept. Raises NotFound, StoreFull or StoreError."""

    def put_if_absent(self, name: str, data: bytes) -> bool:
        """Store `data` atomically unless the name exists; whether it was stored. The first writer wins."""
        ...

    def put(self, name: str, data: bytes) -> None:
        """Store `data` atomically, replacing what was there."""
        ...

    def get(self, name: str) -> bytes: ...

    def info(self, name: str) -> ObjectInfo: ...

    def exists(self, name: str) -> bool: ...


def content_name(data: bytes, suffix: str) -> str:
    """The name of immutable bytes: `objects/ab/abcdef….m4s`, 128 bits of their SHA-256."""
    digest = hashlib.sha256(data).hexdigest()[:32]
    return f"objects/{digest[:2]}/{digest}{suffix}"


def is_safe_name(name: str) -> bool:
    """Whether `name` is one this store could have given out."""
    return bool(name) and len(name) < 512 and all(_SAFE_PART.fullmatch(part) for part in name.split("/"))


@contextlib.contextmanager
def full_disk_translated() -> Generator[None, None, None]:
    """ENOSPC from whatever writes inside the block becomes StoreFull."""
    try:
        yield
    except OSError as exc:
        if exc.errno == errno.ENOSPC:
            raise StoreFull("No space is left on the disk that holds the objects.") from exc
        raise


class LocalObjectStore:
    """Objects in a directory, through obstore: staged, then linked or renamed, so no partial object is ever visible."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._store: LocalStore | None = None

    def _open(self) -> LocalStore:
        if self._store is None:
            from obstore.store import LocalStore

            try:
                self._store = LocalStore(str(self._root), mkdir=True)
            except Exception as exc:
                raise StoreError(f"The object directory {self._root} cannot be opened: {exc}.") from exc
        return self._store

    def put_if_absent(self, name: str, data: bytes) -> bool:
        import obstore
        from obstore.exceptions import AlreadyExistsError

        try:
            obstore.put(self._open(), _checked(name), data, mode="create")
        except AlreadyExistsError:
            return False
        except Exception as exc:
            raise _translated(exc, name) from exc
        return True

    def put(self, name: str, data: bytes) -> None:
        import obstore

        try:
            obstore.put(self._open(), _checked(name), data, mode="overwrite")
        except Exception as exc:
            raise _translated(exc, name) from exc

    def get(self, name: str) -> bytes:
        import obstore

        try:
            return bytes(obstore.get(self._open(), _checked(name)).bytes())
        except Exception as exc:
            raise _translated(exc, name) from exc

    def info(self, name: str) -> ObjectInfo:
        import obstore

        try:
            meta = obstore.head(self._open(), _checked(name))
        except Exception as exc:
            raise _translated(exc, name) from exc
        tag = (meta["e_tag"] or f"{meta['last_modified'].timestamp()}-{meta['size']}").strip('"')
        return ObjectInfo(meta["size"], tag)

    def exists(self, name: str) -> bool:
        try:
            self.info(name)
        except NotFound:
            return False
        return True

    def remove_staged(self) -> int:
        """Remove what writers killed mid-write left behind; how many files. Only while no other writer runs."""
        removed = 0
        if self._root.is_dir():
            for path in self._root.rglob("*#*"):
                if _STAGED.search(path.name) and path.is_file():
                    path.unlink(missing_ok=True)
                    removed += 1
        return removed


def _checked(name: str) -> str:
    if not is_safe_name(name):
        raise NotFound(f"There is no object named {name!r}.")
    return name


def _translated(exc: Exception, name: str) -> Exception:
    if isinstance(exc, NotFound | StoreError):
        return exc
    if isinstance(exc, FileNotFoundError):
        return NotFound(f"There is no object named {name!r}.")
    text = str(exc)
    if getattr(exc, "errno", None) == errno.ENOSPC or any(mark in text.lower() for mark in _NO_SPACE_TEXTS):
        return StoreFull(f"No space is left to store {name}.")
    return StoreError(f"The object {name} cannot be read or written: {text.splitlines()[0] if text else exc!r}")
