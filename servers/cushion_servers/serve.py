"""The server process: one socket on 127.0.0.1, one event loop, a clean end on SIGINT and SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Generator

import uvicorn

from cushion_servers.address import last_port, live_address, remember_port, remove_address, write_address
from cushion_servers.api.app import BackendApp
from cushion_servers.backend import open_backend
from cushion_servers.config import BackendConfig
from cushion_servers.errors import AddressUnavailable, AlreadyServed

log = logging.getLogger(__name__)

_GRACE_S = 2
"""How long open connections may take to end once asked to."""


def serve(config: BackendConfig, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `on_ready(url)` is called once requests are answered.

    Raises AddressUnavailable, AlreadyServed or StoreError, all before `on_ready`.
    """
    running = live_address(config.address_path)
    if running is not None:
        raise AlreadyServed(f"{config.data_dir} is already served at {running.url} (process {running.pid}).")
    with _listener(config) as listener, _quiet_signals() as early:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(config, listener, on_ready, early))


async def _serve(
    config: BackendConfig, listener: socket.socket, on_ready: Callable[[str], None], early: list[int]
) -> None:
    url = f"http://{config.host}:{listener.getsockname()[1]}"

    def ready() -> None:
        write_address(config.address_path, url)
        remember_port(config.port_path, url)
        on_ready(url)

    async with open_backend(config) as backend:
        settings = uvicorn.Config(
            BackendApp(backend),
            lifespan="off",
            log_config=None,
            access_log=False,
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        try:
            await _Server(settings, ready, early).serve(sockets=[listener])
        finally:
            remove_address(config.address_path)


class _Server(uvicorn.Server):
    """uvicorn, saying when it is ready. `early`: signals that came before it listened to any."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], early: list[int]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._early = early

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if self._early:
            self.should_exit = True
            return
        await super().startup(sockets)
        self._on_ready()


def _listener(config: BackendConfig) -> socket.socket:
    last = 0 if config.port else last_port(config.port_path)
    if last:
        with contextlib.suppress(AddressUnavailable):
            return _bind(config.host, last)
    return _bind(config.host, config.port)


def _bind(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(256)
    except OSError as exc:
        listener.close()
        raise AddressUnavailable(f"Cannot listen on {host}:{port}: {exc.strerror or exc}.") from exc
    return listener


@contextlib.contextmanager
def _quiet_signals() -> Generator[list[int], None, None]:
    """Signals are only noted here: uvicorn stops on one, and then raises it again for whoever was there before it.

    What is yielded holds those that came, so that one from before uvicorn's time is not lost.
    """
    signals = (signal.SIGINT, signal.SIGTERM)
    came: list[int] = []

    def note(number: int, _frame: object) -> None:
        came.append(number)

    before = [signal.signal(each, note) for each in signals]
    try:
        yield came
    finally:
        for each, handler in zip(signals, before, strict=True):
            signal.signal(each, handler)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
