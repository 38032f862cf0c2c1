"""Running a coroutine from a command, so that Ctrl-C and SIGTERM close everything before the process ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from cushion_player.errors import UsageError

T = TypeVar("T")


def run_async(main: Coroutine[Any, Any, T]) -> T:
    """Run `main`. Ctrl-C raises KeyboardInterrupt and SIGTERM raises Terminated, both after everything was closed."""
    from cushion_sdk.cli.root import Terminated

    was_terminated = False

    async def supervised() -> T:
        nonlocal was_terminated
        task = asyncio.current_task()
        assert task is not None

        def terminate() -> None:
            nonlocal was_terminated
            was_terminated = True
            task.cancel()

        loop = asyncio.get_running_loop()
        try:
            loop.add_signal_handler(signal.SIGTERM, terminate)
        except (NotImplementedError, ValueError):
            pass  # Windows, or not the main thread
        return await main

    try:
        return asyncio.run(supervised())
    except asyncio.CancelledError:
        if was_terminated:
            raise Terminated from None
        raise


def as_url(text: str) -> str:
    """A URL as it is, a path as a file URL. Raises UsageError for what is neither."""
    try:
        scheme = urlsplit(text).scheme
    except ValueError as exc:
        raise UsageError(f"{text!r} is not a URL: {exc}") from exc
    if scheme in ("http", "https", "file"):
        return text
    path = Path(text)
    if path.is_file():
        return path.resolve().as_uri()
    if len(scheme) > 1:
        raise UsageError(f"{text!r}: {scheme} URLs cannot be read, only http, https and file")
    raise UsageError(f"{text!r} is neither a URL nor a file that exists")


def data_directory(data: Path | None) -> Path:
    """What --data says; else `.cushion` here, if there is one; else the user's own place for application data."""
    if data is not None:
        return data
    local = Path(".cushion")
    if local.is_dir():
        return local
    import platformdirs

    return platformdirs.user_data_path("cushion", appauthor=False)
