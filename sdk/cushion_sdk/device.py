"""What a device keeps between sessions, in one SQLite file: identity, settings, positions, and the telemetry outbox.

One thread owns the connection. Writes are posted to it, grouped, and committed with `synchronous=FULL`: what a
returned future confirms survives a kill -9 and a power cut. Nothing here ever stops playback: when the disk is full
or the file cannot be used, a WARNING says so and the session goes on.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, cast

from cushion_player.errors import CushionError
from cushion_sdk import device_schema
from cushion_sdk.device_schema import OutboxEvent, OutboxLimits, StoredPosition

log = logging.getLogger(__name__)

T = TypeVar("T")

FILE_NAME = "device.db"
MAX_GROUP = 256
"""Writes committed together at most."""


class StoreError(CushionError):
    """The device's store could not read or write."""

    code = "store"


class DeviceStores:
    """Identity, settings, positions and outbox of this device.

    Made by `DeviceStores.open(directory)`; closed with `close` (or as a context manager), which commits what was
    posted. All methods may be called from any thread. Those that return a Future return at once.
    """

    def __init__(self, path: Path | None, limits: OutboxLimits) -> None:
        """Use `open`. path: None keeps everything in memory, for a device whose disk cannot be used."""
        self._path = path
        self._limits = limits
        self._work: queue.SimpleQueue[tuple[Callable[[sqlite3.Connection], object], Future[object]] | None]
        self._work = queue.SimpleQueue()
        self._closed = False
        self._lock = threading.Lock()
        self._has_warned = False
        self._thread: threading.Thread | None = None
        self._device_id = self._begin()

    @classmethod
    def open(cls, directory: Path | None, *, limits: OutboxLimits | None = None) -> DeviceStores:
        """Open (or make) the store in `directory`; None keeps it in memory only.

        A file that is not a usable database is set aside as `device.db.unusable-N`, and a new one is made. A
        directory that cannot be written gives a store in memory. Both say so as a WARNING; neither raises.
        """
        chosen = limits or OutboxLimits()
        if directory is None:
            return cls(None, chosen)
        path = directory / FILE_NAME
        try:
            directory.mkdir(parents=True, exist_ok=True)
            return cls(path, chosen)
        except sqlite3.OperationalError as exc:
            # Locked, read-only or full: the file may be sound, so it stays where it is.
            log.warning("%s cannot be used (%s): positions and telemetry are kept in memory only", path, exc)
        except sqlite3.DatabaseError as exc:
            aside = _set_aside(path)
            log.warning("%s is not a usable database (%s): set aside as %s, starting afresh", path, exc, aside)
            try:
                return cls(path, chosen)
            except sqlite3.Error as again:
                log.warning("%s cannot be made (%s): positions and telemetry are kept in memory only", path, again)
        except OSError as exc:
            log.warning("%s cannot be used (%s): positions and telemetry are kept in memory only", directory, exc)
        return cls(None, chosen)

    @property
    def device_id(self) -> str:
        """Made once for this store."""
        return self._device_id

    @property
    def path(self) -> Path | None:
        """The file; None when kept in memory."""
        return self._path

    # ------------------------------------------------------------------ positions

    def position(self, profile_id: str, title_id: str) -> Future[StoredPosition | None]:
        """What this device knows about (profile, title)."""
        return self._post(lambda db: device_schema.read_position(db, profile_id, title_id))

    def positions(self, profile_id: str) -> Future[list[StoredPosition]]:
        """All titles of a profile, the latest first."""
        return self._post(lambda db: device_schema.read_positions(db, profile_id))

    def save_position(self, position: StoredPosition) -> Future[bool]:
        """Keep a position if it beats what is kept (`contracts.resume.beats`); the result says whether it did."""
        return self._post(lambda db: device_schema.write_position(db, position), is_write=True)

    def pending_positions(self) -> Future[list[StoredPosition]]:
        """Positions that the backend has not confirmed yet, oldest first."""
        return self._post(device_schema.read_pending)

    def confirm_position(self, position: StoredPosition) -> Future[bool]:
        """The backend holds this very report now; the result is False when a newer one is kept already."""
        return self._post(lambda db: device_schema.confirm_position(db, position), is_write=True)

    # ------------------------------------------------------------------ outbox

    def add_event(self, session_id: str, sequence: int, created_ms: int, line: str) -> Future[int]:
        """Accept an encoded record for sending. The result counts old events that had to go to make room."""
        return self._post(
            lambda db: device_schema.add_event(db, session_id, sequence, created_ms, line, self._limits), is_write=True
        )

    def next_events(self, max_events: int, max_bytes: int) -> Future[list[OutboxEvent]]:
        """The oldest events, at least one if there is any."""
        return self._post(lambda db: device_schema.read_events(db, max_events, max_bytes))

    def forget_events(self, event_ids: list[int]) -> Future[None]:
        """The backend acknowledged these (or refused them for good)."""
        return self._post(lambda db: device_schema.delete_events(db, event_ids), is_write=True)

    def count_attempt(self, event_ids: list[int]) -> Future[None]:
        """These were sent, and nothing came back."""
        return self._post(lambda db: device_schema.count_attempt(db, event_ids), is_write=True)

    def outbox_size(self) -> Future[tuple[int, int]]:
        """How many events wait, and their bytes."""
        return self._post(device_schema.outbox_size)

    # ------------------------------------------------------------------ settings

    def setting(self, key: str) -> Future[str | None]:
        return self._post(lambda db: device_schema.read_setting(db, key))

    def set_setting(self, key: str, value: str) -> Future[None]:
        return self._post(lambda db: device_schema.write_setting(db, key, value), is_write=True)

    # ------------------------------------------------------------------ the thread

    def close(self) -> None:
        """Commit what was posted, close the file, join the thread. Does nothing the second time."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._work.put(None)
        if self._thread is not None:
            self._thread.join()

    def _begin(self) -> str:
        """Start the thread; returns the device id. Raises what opening the file raised."""
        ready: Future[str] = Future()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="cushion-device-store", daemon=False)
        self._thread.start()
        try:
            return ready.result()
        except BaseException:
            self._thread.join()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _post(self, work: Callable[[sqlite3.Connection], T], *, is_write: bool = False) -> Future[T]:
        future: Future[object] = Future()
        if is_write:
            future.add_done_callback(self._warn_of_failure)
        with self._lock:
            if self._closed:
                future.set_exception(StoreError("the device's store is closed"))
            else:
                self._work.put((work, future))
        return cast("Future[T]", future)

    def _warn_of_failure(self, future: Future[object]) -> None:
        """Say once that writing fails, and once that it works again; most writers do not wait for the result."""
        if future.cancelled():
            return
        error = future.exception()
        if isinstance(error, StoreError) and not self._closed:
            if not self._has_warned:
                log.warning("%s: positions and telemetry are not being kept; playback goes on", error)
            self._has_warned = True
        elif error is None and self._has_warned:
            self._has_warned = False
            log.warning("the device's store can be written again")

    def _run(self, ready: Future[str]) -> None:
        try:
            db = device_schema.connect(self._path)
            try:
                device_id = device_schema.own_device_id(db, uuid.uuid4().hex)
            except BaseException:
                db.close()
                raise
        except Exception as exc:
            ready.set_exception(exc)
            return
        ready.set_result(device_id)
        try:
            while self._serve(db):
                pass
        finally:
            db.close()

    def _serve(self, db: sqlite3.Connection) -> bool:
        """Carry out a group of what was posted in one transaction; False once told to stop."""
        group = [self._work.get()]
        while len(group) < MAX_GROUP and group[-1] is not None:
            try:
                group.append(self._work.get_nowait())
            except queue.Empty:
                break
        results: list[tuple[Future[object], object]] = []
        try:
            for item in group:
                if item is not None:
                    work, future = item
                    results.append((future, self._attempt(work, db)))
            db.commit()
        except sqlite3.Error as exc:
            db.rollback()
            failure = StoreError(f"{self._path or 'the store in memory'} cannot be written ({exc})")
            results = [(item[1], failure) for item in group if item is not None]
        for future, result in results:
            if not future.set_running_or_notify_cancel():
                continue  # nobody waits any more; what was posted is done all the same
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
        return group[-1] is not None

    def _attempt(self, work: Callable[[sqlite3.Connection], object], db: sqlite3.Connection) -> object:
        try:
            return work(db)
        except sqlite3.Error:
            raise
        except Exception as exc:
            return exc


async def stored(future: Future[T]) -> T:
    """Await what a store returned, from an asyncio loop."""
    return await cast("Awaitable[T]", asyncio.wrap_future(future))


def _set_aside(path: Path) -> Path:
    """Move the file and its companions out of the way; returns the new name."""
    number = 1
    while (aside := path.with_name(f"{path.name}.unusable-{number}")).exists():
        number += 1
    path.replace(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return aside
