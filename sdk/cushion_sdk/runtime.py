"""One thread with one event loop, for programs with a loop of their own kind (Qt).

Sessions live on the Runtime's thread; callers post to it (`cushion_sdk.sync_session`) and read immutable snapshots.
Whoever has an asyncio loop already uses `cushion_sdk.session` directly.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


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
