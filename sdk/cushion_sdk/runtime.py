"""One thread with one event loop, and a session that any thread may use.

For programs with a loop of their own kind (Qt): sessions live on the Runtime's thread; callers post to it and read
immutable snapshots. Whoever has an asyncio loop already uses `cushion_sdk.session` directly.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from cushion_player.clock import Clock
from cushion_player.errors import CushionError
from cushion_player.outputs import MediaOutput
from cushion_player.transport.base import Transport
from cushion_sdk.session_events import PlaybackFailed, SessionEvent
from cushion_sdk.session_types import SessionOptions, SessionProblem, SessionSnapshot, SessionState, SessionSummary

if TYPE_CHECKING:
    from cushion_player.engine import Limits
    from cushion_sdk.backend import BackendClient
    from cushion_sdk.contracts.catalog import Title
    from cushion_sdk.device import DeviceStores
    from cushion_sdk.event_stream import EventStream
    from cushion_sdk.session import PlaybackSession

log = logging.getLogger(__name__)

T = TypeVar("T")

SNAPSHOT_INTERVAL_S = 0.1
CLOSE_TIMEOUT_S = 5.0


class Runtime:
    """A thread that runs an asyncio loop from `start` to `close`. Not a daemon: whoever starts it closes it.

    `close` cancels what still runs, waits for it, and joins the thread; afterwards nothing of it is left.
    """

    def __init__(self, name: str = "cushion-runtime") -> None:
        self._name = name
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop. Only `call_soon_threadsafe` may be called on it from other threads."""
        if self._loop is None:
            raise RuntimeError("the runtime is not running: call start() first")
        return self._loop

    def start(self) -> None:
        """Start the thread; returns once the loop runs."""
        if self._thread is not None:
            raise RuntimeError("the runtime runs already")
        running: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(target=self._run, args=(running,), name=self._name, daemon=False)
        self._thread.start()
        self._loop = running.result()

    def _run(self, running: Future[asyncio.AbstractEventLoop]) -> None:
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            loop.call_soon(running.set_result, loop)
            loop.run_forever()
            # Runner.__exit__ cancels what is left, waits for it, and shuts down generators and the executor.

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the loop thread. Cancelling the future cancels the task."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def close(self) -> None:
        """Cancel everything, wait for it, join the thread. Does nothing when not running."""
        thread, loop = self._thread, self._loop
        if thread is None or loop is None:
            return
        if threading.current_thread() is thread:
            raise RuntimeError("the runtime cannot be closed from its own thread")
        self._thread = self._loop = None
        loop.call_soon_threadsafe(loop.stop)
        thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


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

    def _begin_close(self) -> None:
        self._closing = True
        if self._stop is not None:
            self._stop.set()
        if self._opening_task is not None:
            self._opening_task.cancel()

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
