"""The device's store: what is confirmed stays, whatever happens to the process, the disk or the file."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from cushion_sdk.contracts.resume import PositionReport
from cushion_sdk.device import DeviceStores, StoreError
from cushion_sdk.device_schema import OutboxLimits, StoredPosition


def position(position_s: float = 10.0, *, sequence: int = 1, title_id: str = "film") -> StoredPosition:
    report = PositionReport(
        device_id="d",
        session_id="s",
        session_started_ms=1,
        sequence=sequence,
        position_s=position_s,
        duration_s=60.0,
        reported_ms=1000 + sequence,
    )
    return StoredPosition("default", title_id, report)


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[DeviceStores]:
    with DeviceStores.open(tmp_path) as opened:
        yield opened


def test_everything_is_there_again_after_a_restart(tmp_path: Path) -> None:
    with DeviceStores.open(tmp_path) as first:
        device_id = first.device_id
        first.save_position(position())
        first.add_event("s", 0, 1, "e=t,ts=1,v=2")
        first.set_setting("volume", "0.5")

    with DeviceStores.open(tmp_path) as second:
        assert second.device_id == device_id
        assert second.position("default", "film").result() == position()
        assert [event.line for event in second.next_events(10, 1000).result()] == ["e=t,ts=1,v=2"]
        assert second.setting("volume").result() == "0.5"
        assert second.setting("never set").result() is None


def test_two_devices_have_two_ids(tmp_path: Path) -> None:
    with DeviceStores.open(tmp_path / "a") as first, DeviceStores.open(tmp_path / "b") as second:
        assert first.device_id != second.device_id


def test_two_processes_may_share_a_store(tmp_path: Path) -> None:
    with DeviceStores.open(tmp_path) as first, DeviceStores.open(tmp_path) as second:
        first.save_position(position(1.0)).result()
        second.save_position(position(2.0, sequence=2)).result()

        assert first.device_id == second.device_id
        kept = first.position("default", "film").result()
        assert kept is not None
        assert kept.report.position_s == 2.0


def test_an_older_report_does_not_replace_a_newer_one(stores: DeviceStores) -> None:
    assert stores.save_position(position(20.0, sequence=2)).result() is True
    assert stores.save_position(position(10.0, sequence=1)).result() is False

    kept = stores.position("default", "film").result()
    assert kept is not None
    assert kept.report.position_s == 20.0


def test_positions_are_listed_latest_first(stores: DeviceStores) -> None:
    for sequence, title_id in enumerate(("a", "b", "c")):
        stores.save_position(position(sequence=sequence, title_id=title_id))

    assert [each.title_id for each in stores.positions("default").result()] == ["c", "b", "a"]


WRITER = """
    import sys
    from pathlib import Path
    from cushion_sdk.device import DeviceStores
    from tests.sdk.test_device import position

    stores = DeviceStores.open(Path(sys.argv[1]))
    for sequence in range(1, 1_000_000):
        saved = stores.save_position(position(float(sequence), sequence=sequence))
        added = stores.add_event("s", sequence, sequence, f"e=t,sn={sequence},ts=1,v=2")
        saved.result(), added.result()
        print(sequence, flush=True)
"""


@pytest.mark.parametrize("after", [1, 7, 40])
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_what_was_confirmed_survives_kill_9(tmp_path: Path, after: int) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert child.stdout is not None
    confirmed = 0
    with child:
        for line in child.stdout:
            confirmed = int(line)
            if confirmed == after:
                child.send_signal(signal.SIGKILL)

    with DeviceStores.open(tmp_path) as stores:
        kept = stores.position("default", "film").result()
        events = stores.next_events(10**6, 10**9).result()

    assert kept is not None
    assert kept.report.sequence >= confirmed >= after
    assert [event.line for event in events[:confirmed]] == [f"e=t,sn={n},ts=1,v=2" for n in range(1, confirmed + 1)]


@pytest.mark.parametrize(
    "content", [b"this is no database at all, but a text of some length" * 100, b"SQLite format 3\0" * 300]
)
def test_a_file_that_is_no_database_is_set_aside_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    (tmp_path / "device.db").write_bytes(content)

    with DeviceStores.open(tmp_path) as stores:
        assert stores.save_position(position()).result()

    assert "set aside" in caplog.text
    assert (tmp_path / "device.db.unusable-1").read_bytes() == content
    with DeviceStores.open(tmp_path) as again:
        assert again.position("default", "film").result() == position()


def test_a_damaged_database_is_set_aside_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with DeviceStores.open(tmp_path) as stores:
        for number in range(200):
            stores.add_event("s", number, 1, "x" * 200)
    path = tmp_path / "device.db"
    whole = bytearray(path.read_bytes())
    whole[4096:] = b"\xa5" * (len(whole) - 4096)
    path.write_bytes(whole)

    with DeviceStores.open(tmp_path) as stores:
        assert stores.outbox_size().result() == (0, 0)

    assert "set aside" in caplog.text


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with sqlite3.connect(tmp_path / "device.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()

    with DeviceStores.open(tmp_path) as stores:
        assert stores.path is None
        assert stores.save_position(position()).result()

    assert "in memory only" in caplog.text
    assert not (tmp_path / "device.db.unusable-1").exists()


def test_a_directory_that_cannot_be_made_gives_a_store_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")

    with DeviceStores.open(tmp_path / "file" / "device") as stores:
        assert stores.path is None
        assert stores.save_position(position()).result()

    assert "in memory only" in caplog.text


def test_a_full_disk_is_said_once_and_its_end_too(stores: DeviceStores, caplog: pytest.LogCaptureFixture) -> None:
    def limit_pages(extra: int) -> None:
        def limit(db: sqlite3.Connection) -> None:
            (pages,) = db.execute("PRAGMA page_count").fetchone()
            db.execute(f"PRAGMA max_page_count = {pages + extra}")

        stores._post(limit).result()

    limit_pages(0)
    for number in range(3):
        with pytest.raises(StoreError, match="full"):
            stores.add_event("s", number, 1, "x" * 50_000).result()
    warned = caplog.text.count("not being kept; playback goes on")
    limit_pages(1000)
    stores.add_event("s", 9, 1, "x" * 50_000).result()

    assert stores.outbox_size().result() == (1, 50_000)
    assert warned == 1
    assert "can be written again" in caplog.text


def test_a_saved_position_that_cannot_be_read_counts_as_none(
    stores: DeviceStores, caplog: pytest.LogCaptureFixture
) -> None:
    stores.save_position(position()).result()
    stores._post(lambda db: db.execute("UPDATE positions SET report = 'nonsense'"), is_write=True).result()

    assert stores.position("default", "film").result() is None
    assert "cannot be read" in caplog.text
    assert stores.save_position(position(5.0)).result() is True


def test_the_outbox_drops_the_oldest_beyond_its_bytes(tmp_path: Path) -> None:
    with DeviceStores.open(tmp_path, limits=OutboxLimits(max_bytes=1000)) as stores:
        gone = [stores.add_event("s", number, 1, "x" * 300).result() for number in range(5)]

        assert gone == [0, 0, 0, 1, 1]
        assert stores.outbox_size().result() == (3, 900)
        assert [event.event_id for event in stores.next_events(10, 10_000).result()] == [3, 4, 5]


def test_the_outbox_drops_what_is_too_old(tmp_path: Path) -> None:
    with DeviceStores.open(tmp_path, limits=OutboxLimits(max_age_ms=1000)) as stores:
        stores.add_event("s", 0, 10_000, "old")
        stores.add_event("s", 1, 10_500, "young")
        gone = stores.add_event("s", 2, 11_200, "new").result()

        assert gone == 1
        assert [event.line for event in stores.next_events(10, 10_000).result()] == ["young", "new"]


def test_a_batch_keeps_to_its_bytes_but_is_never_empty(stores: DeviceStores) -> None:
    for number in range(3):
        stores.add_event("s", number, 1, "x" * 100)

    assert len(stores.next_events(10, 210).result()) == 2
    assert len(stores.next_events(10, 1).result()) == 1
    assert len(stores.next_events(1, 10_000).result()) == 1


def test_the_same_record_is_kept_once(stores: DeviceStores) -> None:
    stores.add_event("s", 0, 1, "x")
    stores.add_event("s", 0, 1, "x")

    assert stores.outbox_size().result() == (1, 1)


def test_a_closed_store_refuses_and_closes_twice(tmp_path: Path) -> None:
    stores = DeviceStores.open(tmp_path)
    pending = stores.save_position(position())
    stores.close()
    stores.close()

    assert pending.result() is True
    with pytest.raises(StoreError, match="closed"):
        stores.position("default", "film").result()


def test_a_store_without_a_directory_lives_in_memory() -> None:
    with DeviceStores.open(None) as stores:
        assert stores.save_position(position()).result()
        assert stores.path is None
