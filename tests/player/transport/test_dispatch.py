from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cushion_player.clock import MonotonicClock
from cushion_player.errors import FetchError, UsageError
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.origin import Origin
from cushion_player.testing.transport import FakeTransport
from cushion_player.transport.base import FetchRequest, Transport, fetch_bytes
from cushion_player.transport.dispatch import DispatchTransport, transport_for


async def body(transport: Transport, url: str) -> bytes:
    return (await fetch_bytes(transport, FetchRequest(url, label="key"), MonotonicClock())).body


async def test_each_scheme_has_its_transport() -> None:
    clock = FakeClock()
    first, second = FakeTransport(clock, {"a:x": b"1"}), FakeTransport(clock, {"b:x": b"2"})
    transport = DispatchTransport({"a": first, "b": second})

    assert [await body(transport, "a:x"), await body(transport, "b:x")] == [b"1", b"2"]

    await transport.close()
    with pytest.raises(UsageError):
        await body(transport, "a:x")


async def test_unserved_scheme_is_an_error_that_names_those_served() -> None:
    transport = DispatchTransport({"http": FakeTransport(FakeClock(), {})})

    with pytest.raises(FetchError, match="key: rtmp URLs cannot be fetched here, only http"):
        await body(transport, "rtmp://host/live")
    with pytest.raises(FetchError, match="key: relative URLs"):
        await body(transport, "a/b")
    with pytest.raises(FetchError, match="key: not a usable URL"):
        await body(transport, "http://[::1")


def test_presentation_from_disk_may_refer_to_disk_web_and_data(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"disk")

    async def main() -> None:
        transport = transport_for((tmp_path / "a.mpd").as_uri())
        async with Origin({"/a": b"web"}) as origin:
            urls = [(tmp_path / "a").as_uri(), origin.url("/a"), "data:,inline"]
            assert [await body(transport, url) for url in urls] == [b"disk", b"web", b"inline"]
            await transport.close()

    asyncio.run(main())


async def test_presentation_from_the_web_does_not_reach_the_disk() -> None:
    transport = transport_for("https://cdn/a.mpd")

    with pytest.raises(FetchError, match="file URLs cannot be fetched here"):
        await body(transport, "file:///etc/passwd")
    assert await body(transport, "data:,inline") == b"inline"
    await transport.close()


@pytest.mark.parametrize("url", ["a.mpd", "ftp://host/a.mpd", ""])
def test_presentation_must_come_from_disk_or_web(url: str) -> None:
    with pytest.raises(UsageError, match="need an http, https or file URL"):
        transport_for(url)
