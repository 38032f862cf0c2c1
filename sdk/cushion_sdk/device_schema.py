"""The tables of the device's store, and every statement on them. Called on the store's own thread only."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cushion_sdk.contracts.resume import PositionReport, beats

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
BUSY_TIMEOUT_S = 2.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS positions (
    profile_id TEXT NOT NULL,
    title_id TEXT NOT NULL,
    report BLOB NOT NULL,
    reported_ms INTEGER NOT NULL,
    is_pending INTEGER NOT NULL,
    is_completed INTEGER NOT NULL,
    PRIMARY KEY (profile_id, title_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    line TEXT NOT NULL,
    UNIQUE (session_id, sequence)
);
CREATE TABLE IF NOT EXISTS outbox_total (id INTEGER PRIMARY KEY, events INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT OR IGNORE INTO outbox_total VALUES (1, 0, 0);
CREATE TRIGGER IF NOT EXISTS outbox_grows AFTER INSERT ON outbox BEGIN
    UPDATE outbox_total SET events = events + 1, bytes = bytes + length(new.line);
END;
CREATE TRIGGER IF NOT EXISTS outbox_shrinks AFTER DELETE ON outbox BEGIN
    UPDATE outbox_total SET events = events - 1, bytes = bytes - length(old.line);
END;
"""


@dataclass(frozen=True, slots=True)
class StoredPosition:
    """A position as the device keeps it. `is_pending`: the backend has not confirmed it."""

    profile_id: str
    title_id: str
    report: PositionReport
    is_pending: bool = True
    is_completed: bool = False


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """An encoded CMCD record that waits to be acknowledged."""

    event_id: int
    session_id: str
    attempts: int
    line: str


@dataclass(frozen=True, slots=True)
class OutboxLimits:
    """How much the outbox holds while the backend is out of reach; the oldest goes first."""

    max_bytes: int = 4 * 1024 * 1024
    max_age_ms: int = 7 * 24 * 3600 * 1000


def connect(path: Path | None) -> sqlite3.Connection:
    """Open and check the file, make the tables if it is new.

    Raises sqlite3.OperationalError when it cannot be used now or by this program, else sqlite3.DatabaseError when it
    is damaged or no database.
    """
    db = sqlite3.connect(":memory:" if path is None else path, timeout=BUSY_TIMEOUT_S)
    try:
        db.execute("PRAGMA journal_mode = WAL").fetchone()
        db.execute("PRAGMA synchronous = FULL")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
        elif version != SCHEMA_VERSION:
            raise sqlite3.OperationalError(f"it is of version {version}, this program knows {SCHEMA_VERSION}")
        (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(str(verdict))
    except BaseException:
        db.close()
        raise
    return db


def own_device_id(db: sqlite3.Connection, fresh_id: str) -> str:
    """The device's id; `fresh_id` when it has none yet."""
    db.execute("INSERT OR IGNORE INTO settings VALUES ('device_id', ?)", (fresh_id,))
    db.commit()
    device_id = read_setting(db, "device_id")
    assert device_id is not None, "it was just written"
    return device_id


def read_setting(db: sqlite3.Connection, key: str) -> str | None:
    row = db.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def write_setting(db: sqlite3.Connection, key: str, value: str) -> None:
    db.execute(
        "INSERT INTO settings VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
    )


# --------------------------------------------------------------------------- positions

_POSITION = "SELECT profile_id, title_id, report, is_pending, is_completed FROM positions "


def _positions(rows: Iterable[tuple[str, str, bytes, int, int]]) -> list[StoredPosition]:
    positions: list[StoredPosition] = []
    for profile_id, title_id, encoded, is_pending, is_completed in rows:
        try:
            report = msgspec.json.decode(encoded, type=PositionReport)
        except msgspec.DecodeError:
            log.warning("the saved position of %s cannot be read and counts as none", title_id)
            continue
        positions.append(StoredPosition(profile_id, title_id, report, bool(is_pending), bool(is_completed)))
    return positions


def read_position(db: sqlite3.Connection, profile_id: str, title_id: str) -> StoredPosition | None:
    rows = db.execute(_POSITION + "WHERE profile_id = ? AND title_id = ?", (profile_id, title_id))
    return next(iter(_positions(rows)), None)


def read_positions(db: sqlite3.Connection, profile_id: str) -> list[StoredPosition]:
    return _positions(db.execute(_POSITION + "WHERE profile_id = ? ORDER BY reported_ms DESC", (profile_id,)))


def read_pending(db: sqlite3.Connection) -> list[StoredPosition]:
    return _positions(db.execute(_POSITION + "WHERE is_pending ORDER BY reported_ms"))


def write_position(db: sqlite3.Connection, position: StoredPosition) -> bool:
    """Whether it beat what was kept, and is kept now."""
    kept = read_position(db, position.profile_id, position.title_id)
    if kept is not None and not beats(position.report, kept.report):
        return False
    db.execute(
        "INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?, ?, ?)",
        (
            position.profile_id,
            position.title_id,
            msgspec.json.encode(position.report),
            position.report.reported_ms,
            position.is_pending,
            position.is_completed,
        ),
    )
    return True


def confirm_position(db: sqlite3.Connection, position: StoredPosition) -> bool:
    kept = read_position(db, position.profile_id, position.title_id)
    if kept is None or kept.report != position.report:
        return False
    db.execute(
        "UPDATE positions SET is_pending = 0 WHERE profile_id = ? AND title_id = ?",
        (position.profile_id, position.title_id),
    )
    return True


# --------------------------------------------------------------------------- outbox


def add_event(
    db: sqlite3.Connection, session_id: str, sequence: int, created_ms: int, line: str, limits: OutboxLimits
) -> int:
    """Keep an event, and the outbox within its limits; returns how many old events went."""
    db.execute(
        "INSERT OR IGNORE INTO outbox (session_id, sequence, created_ms, line) VALUES (?, ?, ?, ?)",
        (session_id, sequence, created_ms, line),
    )
    gone = db.execute("DELETE FROM outbox WHERE created_ms < ?", (created_ms - limits.max_age_ms,)).rowcount
    _, size_bytes = outbox_size(db)
    while size_bytes > limits.max_bytes:
        event_id, length = db.execute("SELECT id, length(line) FROM outbox ORDER BY id LIMIT 1").fetchone()
        db.execute("DELETE FROM outbox WHERE id = ?", (event_id,))
        size_bytes -= length
        gone += 1
    return gone


def outbox_size(db: sqlite3.Connection) -> tuple[int, int]:
    count, size_bytes = db.execute("SELECT events, bytes FROM outbox_total").fetchone()
    return int(count), int(size_bytes)


def read_events(db: sqlite3.Connection, max_events: int, max_bytes: int) -> list[OutboxEvent]:
    events: list[OutboxEvent] = []
    size_bytes = 0
    for row in db.execute("SELECT id, session_id, attempts, line FROM outbox ORDER BY id LIMIT ?", (max_events,)):
        event = OutboxEvent(*row)
        size_bytes += len(event.line) + 1
        if events and size_bytes > max_bytes:
            break
        events.append(event)
    return events


def delete_events(db: sqlite3.Connection, event_ids: list[int]) -> None:
    db.executemany("DELETE FROM outbox WHERE id = ?", [(event_id,) for event_id in event_ids])


def count_attempt(db: sqlite3.Connection, event_ids: list[int]) -> None:
    db.executemany("UPDATE outbox SET attempts = attempts + 1 WHERE id = ?", [(event_id,) for event_id in event_ids])
