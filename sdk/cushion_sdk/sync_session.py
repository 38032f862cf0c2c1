"""A session that any thread may use: its verbs are posted to a Runtime's thread, its snapshots can be read anywhere."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cushion_player.clock import Clock
from cushion_player.errors import CushionError
from cushion_player.outputs import MediaOutput
from cushion_player.transport.base import Transport
from cushion_sdk.runtime import Runtime
from cushion_sdk.session_events import PlaybackFailed, SessionEvent
from cushion_sdk.session_types import SessionOptions, SessionProblem, SessionSnapshot, SessionState, SessionSummary

if TYPE_CHECKING:
    from cushion_player.engine import Limits
    from cushion_sdk.backend import BackendClient
    from cushion_sdk.contracts.catalog import Title
    from cushion_sdk.device import DeviceStores
    from cushion_sdk.event_stream import EventStream
    from cushion_sdk.session import PlaybackSession
    from cushion_sdk.thumbnails import ThumbnailPicture

log = logging.getLogger(__name__)

SNAPSHOT_INTERVAL_S = 0.1
CLOSE_TIMEOUT_S = 5.0


class SyncSession:
    """A PlaybackSession on a Runtime's thread, for callers on any other thread.

    The constructor returns at once; the session opens in the background. Verbs may be called from the first moment
    and are carried out, in order, once the session is open. A session that cannot be opened says so as
    `PlaybackFailed` and in `snapshot().error`.

    on_event: called on the runtime thread with each session event; it must return quickly.
    output: made by the caller, closed with the session. transport and backend stay the caller's when given.
    """

    def __init__(
        self,
        runtime: Runtime,
        source: str | Title,
        options: SessionOptions | None = None,
        *,
        stores: DeviceStores,
        output: MediaOutput,
        transport: Transport | None = None,
        backend: BackendClient | None = None,
        clock: Clock | None = None,
        on_event: Callable[[SessionEvent], None] | None = None,
        autoplay: bool = True,
    ) -> None:
        from cushion_sdk.session import open_session

        chosen = options or SessionOptions()
        self._runtime = runtime
        self._output = output
        self._on_event = on_event
        self._autoplay = autoplay
        self._snapshot = SessionSnapshot(rule=chosen.rule, trace=str(chosen.trace or "unshaped"), volume=chosen.volume)
        self._summary: SessionSummary | None = None
        self._session: PlaybackSession | None = None
        self._waiting_verbs: list[Callable[[PlaybackSession], None]] = []
        self._closing = False
        self._stop: asyncio.Event | None = None
        self._opening_task: asyncio.Task[None] | None = None
        self._closed = runtime.submit(
            self._run(
                lambda: open_session(
                    source, chosen, stores=stores, output=output, transport=transport, backend=backend, clock=clock
                )
            )
        )

    # ------------------------------------------------------------------ verbs, from any thread

    def play(self) -> None:
        self._post(lambda session: session.play())

    def pause(self) -> None:
        self._post(lambda session: session.pause())

    def seek(self, position_s: float) -> None:
        self._post(lambda session: session.seek(position_s))

    def seek_to_live(self) -> None:
        self._post(lambda session: session.seek_to_live())

    def set_rate(self, rate: float) -> None:
        self._post(lambda session: session.set_rate(rate))

    def set_volume(self, volume: float) -> None:
        self._post(lambda session: session.set_volume(volume))

    def set_trace(self, name: str) -> None:
        """Play on over another link: a name of cushion_traces.named or a trace file."""
        self._post(lambda session: session.set_trace(name))

    def set_limits(self, limits: Limits) -> None:
        self._post(lambda session: session.set_limits(limits))

    def select_audio(self, key: str) -> None:
        self._post(lambda session: session.select_audio(key))

    def select_text(self, key: str | None) -> None:
        self._post(lambda session: session.select_text(key))

    def select_captions(self, service: str | None) -> None:
        self._post(lambda session: session.select_captions(service))

    def show_subtitle_file(self, path: Path | None, offset_s: float = 0.0) -> Future[None]:
        """Show the text of a file, later by so much; None takes it away. The future raises UsageError."""
        return self._runtime.submit(self._show_subtitle_file(path, offset_s))

    def thumbnail(self, position_s: float) -> Future[ThumbnailPicture | None]:
        """As `PlaybackSession.thumbnail`; None before the session is open."""
        return self._runtime.submit(self._thumbnail(position_s))

    def set_loop(self, start_s: float = 0.0, end_s: float | None = None) -> None:
        self._post(lambda session: session.set_loop(start_s, end_s))

    def end_loop(self) -> None:
        self._post(lambda session: session.end_loop())

    def step(self, frames: int) -> None:
        self._post(lambda session: session.step(frames))

    def skip_interstitial(self) -> None:
        self._post(lambda session: session.skip_interstitial())

    def set_scrubbing(self, is_on: bool) -> None:
        self._post(lambda session: session.set_scrubbing(is_on))

    def snapshot(self) -> SessionSnapshot:
        """How things stood at most 0.1 s ago. Never blocks."""
        return self._snapshot

    def summary(self) -> SessionSummary | None:
        """The whole session in numbers, once it is closed (None for one that never opened)."""
        return self._summary

    def close(self, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        """Save the position, stop everything, wait for it. Does nothing the second time.

        Raises TimeoutError when it takes longer than `timeout_s`; the session is then cancelled.
        """
        self.close_soon()
        try:
            self._closed.result(timeout_s)
        except TimeoutError:
            self._closed.cancel()
            raise

    def close_soon(self) -> Future[None]:
        """As `close`, without waiting: the future is done when everything has ended."""
        if not self._closed.done():
            self._runtime.loop.call_soon_threadsafe(self._begin_close)
        return self._closed

    # ------------------------------------------------------------------ on the loop thread

    def _post(self, verb: Callable[[PlaybackSession], None]) -> None:
        if not self._closed.done():
            self._runtime.loop.call_soon_threadsafe(self._apply, verb)

    def _apply(self, verb: Callable[[PlaybackSession], None]) -> None:
        if self._session is None:
            self._waiting_verbs.append(verb)
            return
        try:
            verb(self._session)
        except (CushionError, ValueError) as exc:
            log.warning("a command was refused: %s", exc)
        self._snapshot = self._session.snapshot()

    async def _show_subtitle_file(self, path: Path | None, offset_s: float) -> None:
        from cushion_sdk.subtitles import read_subtitle_file  # its readers take a while to import

        cues = await asyncio.to_thread(read_subtitle_file, path, round(offset_s * 1e6)) if path is not None else ()
        self._apply(lambda session: session.show_subtitles(cues))

    async def _thumbnail(self, position_s: float) -> ThumbnailPicture | None:
        return await self._session.thumbnail(position_s) if self._session is not None else None

    def _begin_close(self) -> None:
        self._closing = True
        if self._stop is not None:
            self._stop.set()
        opening, self._opening_task = self._opening_task, None
        if opening is not None:
            opening.cancel()  # once: a second time would break off what it does to let go

    async def _run(self, opening: Callable[[], AbstractAsyncContextManager[PlaybackSession]]) -> None:
        self._stop = asyncio.Event()
        if self._closing:
            await self._output.close()
            return
        self._opening_task = asyncio.current_task()
        try:
            async with opening() as session:
                self._opening_task = None
                await self._live(session)
            self._summary = session.summary()
            self._snapshot = session.snapshot()
        except asyncio.CancelledError:
            if not self._closing:
                raise  # the runtime is closing; otherwise nobody waits for this opening any more
        except CushionError as exc:
            log.warning("the session could not be opened: %s", exc)
            self._fail(exc.code, str(exc))
        except Exception as exc:
            log.exception("a session broke")
            self._fail("error", f"internal error, {type(exc).__name__}: {exc}")
        finally:
            self._opening_task = None

    async def _live(self, session: PlaybackSession) -> None:
        assert self._stop is not None
        self._session = session
        events = session.events()
        if self._autoplay:
            session.play()
        for verb in self._waiting_verbs:
            self._apply(verb)
        self._waiting_verbs.clear()
        listening = asyncio.create_task(self._listen(session, events))
        try:
            while not self._stop.is_set():
                self._snapshot = session.snapshot()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SNAPSHOT_INTERVAL_S):
                        await self._stop.wait()
        finally:
            self._session = None
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self, session: PlaybackSession, events: EventStream) -> None:
        async for event in events:
            self._snapshot = session.snapshot()
            self._tell(event)

    def _fail(self, code: str, message: str) -> None:
        self._snapshot = replace(
            self._snapshot, state=SessionState.FAILED, error=SessionProblem(code=code, message=message)
        )
        self._tell(PlaybackFailed(position_s=self._snapshot.position_s, code=code, message=message))

    def _tell(self, event: SessionEvent) -> None:
        if self._on_event is None:
            return
        try:
            self._on_event(event)
        except Exception:
            log.exception("an event callback failed on %s", type(event).__name__)
