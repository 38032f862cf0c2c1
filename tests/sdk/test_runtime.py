"""A thread for those without a loop: it starts, runs, ends; and a session that any thread may use."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from cushion_player.clock import MonotonicClock
from cushion_player.engine import Limits
from cushion_player.media.null_output import NullDecodeOutput
from cushion_player.testing.faults import Hang
from cushion_player.testing.transport import FakeTransport
from cushion_sdk.runtime import Runtime
from cushion_sdk.session_events import (
    PlaybackEnded,
    PlaybackFailed,
    PlaybackPaused,
    PlaybackStarted,
    SeekEnded,
    SessionEvent,
)
from cushion_sdk.session_types import SessionOptions, SessionState
from cushion_sdk.sync_session import SyncSession
from cushion_sdk.testing import InlineStores
from tests.sdk.conftest import DURATION_S, MPD_URL, files

PATIENCE_S = 10.0


class Listener:
    """Remembers events, and lets a test wait for a kind of them."""

    def __init__(self) -> None:
        self.events: list[SessionEvent] = []
        self.threads: set[str] = set()
        self._news = threading.Condition()

    def __call__(self, event: SessionEvent) -> None:
        with self._news:
            self.events.append(event)
            self.threads.add(threading.current_thread().name)
            self._news.notify_all()

    def wait_for(self, kind: type[SessionEvent]) -> SessionEvent:
        def found() -> SessionEvent | None:
            return next((event for event in self.events if isinstance(event, kind)), None)

        with self._news:
            assert self._news.wait_for(found, PATIENCE_S), f"no {kind.__name__} among {self.events}"
            event = found()
        assert event is not None
        return event


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime() as running:
        yield running


class Device:
    """Parts for sessions in real time."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.clock = MonotonicClock()
        self.transport = FakeTransport(self.clock, files())
        self.listener = Listener()
        self.output = NullDecodeOutput(self.clock)
        self.opened: list[SyncSession] = []
        self.made: list[InlineStores] = []

    def stores(self) -> InlineStores:
        async def make() -> InlineStores:
            return InlineStores()

        stores = self.runtime.submit(make()).result()
        self.made.append(stores)
        return stores

    def close(self) -> None:
        async def close_stores() -> None:
            for stores in self.made:
                stores.close()

        for session in self.opened:
            session.close()
        self.runtime.submit(close_stores()).result(PATIENCE_S)

    def settle(self) -> None:
        """Wait until everything posted so far was carried out."""

        async def arrive() -> None: ...

        self.runtime.submit(arrive()).result(PATIENCE_S)

    def open(self, source: str = MPD_URL, options: SessionOptions | None = None) -> SyncSession:
        session = SyncSession(
            self.runtime,
            source,
            options,
            stores=self.stores(),
            output=self.output,
            transport=self.transport,
            clock=self.clock,
            on_event=self.listener,
        )
        self.opened.append(session)
        return session


@pytest.fixture
def device(runtime: Runtime) -> Iterator[Device]:
    made = Device(runtime)
    yield made
    made.close()


def test_a_runtime_starts_runs_and_leaves_no_thread() -> None:
    before = threading.active_count()
    runtime = Runtime("test-runtime")
    runtime.start()

    async def where() -> str:
        return threading.current_thread().name

    assert runtime.submit(where()).result() == "test-runtime"
    runtime.close()
    runtime.close()
    assert threading.active_count() == before


def test_closing_a_runtime_cancels_what_runs_and_waits_for_it() -> None:
    ended: list[str] = []

    async def linger() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0)
            ended.append("cleanly")

    async def yield_once() -> None:
        await asyncio.sleep(0)

    with Runtime() as runtime:
        future = runtime.submit(linger())
        runtime.submit(yield_once()).result()

    assert ended == ["cleanly"]
    assert future.cancelled()


def test_a_runtime_cannot_be_used_before_its_start_nor_started_twice(runtime: Runtime) -> None:
    with pytest.raises(RuntimeError, match="call start"):
        _ = Runtime().loop
    with pytest.raises(RuntimeError, match="runs already"):
        runtime.start()


def test_a_runtime_cannot_close_itself(runtime: Runtime) -> None:
    async def close() -> None:
        runtime.close()

    with pytest.raises(RuntimeError, match="own thread"):
        runtime.submit(close()).result()


def test_a_session_plays_and_obeys_from_another_thread(device: Device) -> None:
    session = device.open()
    device.listener.wait_for(PlaybackStarted)
    session.seek(DURATION_S - 0.2)
    device.listener.wait_for(SeekEnded)
    device.listener.wait_for(PlaybackEnded)

    assert session.snapshot().state is SessionState.ENDED
    assert session.snapshot().title == "manifest.mpd"
    session.close()
    summary = session.summary()
    assert summary is not None
    assert summary.errors == ()
    assert session.snapshot().state is SessionState.CLOSED
    assert device.listener.threads == {"cushion-runtime"}


def test_commands_given_before_the_session_is_open_are_carried_out_in_order(device: Device) -> None:
    session = device.open()
    session.set_volume(0.25)
    session.set_rate(2.0)
    session.set_limits(Limits(max_height_px=240))
    session.set_trace("constant")
    device.listener.wait_for(PlaybackStarted)
    session.pause()
    device.listener.wait_for(PlaybackPaused)

    assert session.snapshot().volume == 0.25
    assert session.snapshot().trace == "constant"
    assert session.snapshot().state is SessionState.PAUSED


def test_a_command_that_makes_no_sense_is_refused_with_a_warning(
    device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    session = device.open()
    session.set_trace("no-such-trace")
    session.set_rate(99.0)
    device.listener.wait_for(PlaybackStarted)
    device.settle()

    assert "no-such-trace" in caplog.text
    assert "the rate lies between" in caplog.text
    assert session.snapshot().trace == "unshaped"


def test_a_session_that_cannot_be_opened_says_so(device: Device, caplog: pytest.LogCaptureFixture) -> None:
    session = device.open("http://origin/nothing.mpd")
    failed = device.listener.wait_for(PlaybackFailed)

    assert isinstance(failed, PlaybackFailed)
    assert failed.code == "http_status"
    snapshot = session.snapshot()
    assert snapshot.state is SessionState.FAILED
    assert snapshot.error is not None
    assert "404" in snapshot.error.message
    session.close()
    assert session.summary() is None
    assert "could not be opened" in caplog.text


def test_a_session_may_be_closed_at_once_and_twice(device: Device) -> None:
    session = device.open()
    session.close()
    session.close()
    session.play()

    assert session.close_soon().done()


def test_closing_does_not_wait_for_an_opening_that_hangs(device: Device) -> None:
    device.transport.faults.always(MPD_URL, Hang(3600))
    session = device.open()
    device.settle()
    before_us = device.clock.now_us()

    session.close()

    assert device.clock.now_us() - before_us < 1_000_000
    assert device.transport.open_streams == 0
    assert session.summary() is None


def test_closing_twice_does_not_break_off_what_the_first_lets_go_of(device: Device) -> None:
    closing, may_close, has_closed = threading.Event(), threading.Event(), threading.Event()

    class SlowOutput(NullDecodeOutput):
        async def close(self) -> None:
            closing.set()
            await asyncio.to_thread(may_close.wait, PATIENCE_S)
            await super().close()
            has_closed.set()

    device.transport.faults.always(MPD_URL, Hang(3600))
    device.output = SlowOutput(device.clock)
    session = device.open()
    device.settle()

    session.close_soon()
    assert closing.wait(PATIENCE_S)
    session.close_soon()
    device.settle()
    may_close.set()
    session.close()

    assert has_closed.is_set()


def test_a_bug_in_a_session_is_told_as_a_failure(device: Device, caplog: pytest.LogCaptureFixture) -> None:
    def explode(request: object) -> bytes:
        raise ZeroDivisionError("oops")

    device.transport.content[MPD_URL] = explode
    session = device.open()
    device.listener.wait_for(PlaybackFailed)

    problem = session.snapshot().error
    assert problem is not None
    assert "ZeroDivisionError" in problem.message
    assert "a session broke" in caplog.text


def test_an_event_callback_that_fails_does_not_stop_the_session(
    runtime: Runtime, device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    listener = device.listener

    def fail(event: SessionEvent) -> None:
        listener(event)
        raise KeyError("oops")

    session = SyncSession(
        runtime,
        MPD_URL,
        stores=device.stores(),
        output=device.output,
        transport=device.transport,
        clock=device.clock,
        on_event=fail,
    )
    listener.wait_for(PlaybackStarted)
    session.close()

    assert "an event callback failed" in caplog.text
