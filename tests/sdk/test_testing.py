"""The kit to test against: the fake backend owes what the real one owes, and misbehaves as asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from cushion_player.clock import MonotonicClock
from cushion_player.errors import ServiceUnavailable
from cushion_player.testing.clock import FakeClock
from cushion_sdk.backend import Backend, BackendClient, RequestRefused
from cushion_sdk.device import StoreError
from cushion_sdk.testing import FakeBackend, InlineStores
from cushion_servers.api.app import BackendApp
from cushion_servers.backend import open_backend
from cushion_servers.config import BackendConfig
from cushion_servers.testing import CountingRunner, MemoryStore
from tests.contracts.backend_suite import BackendSuite, report


class TestFakeBackend(BackendSuite):
    @asynccontextmanager
    async def open(self, tmp_path: Path) -> AsyncGenerator[Backend]:
        yield FakeBackend(MonotonicClock())


class TestServedBackend(BackendSuite):
    """The reference backend, through our client, over HTTP without a socket."""

    @asynccontextmanager
    async def open(self, tmp_path: Path) -> AsyncGenerator[Backend]:
        store = MemoryStore()
        config = BackendConfig(data_dir=tmp_path)
        async with open_backend(config, store=store, runner=CountingRunner(store), now_ms=lambda: 5) as served:
            app: Any = BackendApp(served)
            async with BackendClient("http://backend", transport=httpx.ASGITransport(app)) as client:
                yield client


async def test_a_backend_that_is_down_does_nothing() -> None:
    backend = FakeBackend(MonotonicClock())
    backend.is_down = True

    with pytest.raises(ServiceUnavailable):
        await backend.put_position("p", "t", report(1.0))

    assert backend.positions == {}
    assert backend.calls == ["put_position"]


async def test_a_lost_answer_is_lost_after_the_deed() -> None:
    backend = FakeBackend(MonotonicClock())
    backend.loses_answers = True

    with pytest.raises(ServiceUnavailable):
        await backend.put_position("p", "t", report(1.0))

    assert backend.positions["p", "t"] == report(1.0)


async def test_a_refusal_refuses_the_whole_request() -> None:
    backend = FakeBackend(MonotonicClock())
    backend.refuses = "bad"

    with pytest.raises(RequestRefused):
        await backend.send_telemetry(b'cid="bad",e=t,sid="s",sn=1,ts=1,v=2\ne=t,sid="s",sn=2,ts=1,v=2')

    assert backend.records == {}


def test_answers_come_as_late_as_asked() -> None:
    clock = FakeClock()
    backend = FakeBackend(clock)
    backend.delay_us = 250_000

    clock.run(backend.position("p", "t"))

    assert clock.now_us() == 250_000


def test_inline_stores_work_at_once_and_can_be_full() -> None:
    stores = InlineStores()

    assert stores.set_setting("a", "b").done()
    stores.is_full = True
    with pytest.raises(StoreError, match="full"):
        stores.set_setting("a", "c").result()
    assert stores.setting("a").result() == "b"
    stores.close()
    with pytest.raises(StoreError, match="closed"):
        stores.setting("a").result()
