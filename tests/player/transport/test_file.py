from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from cushion_player.clock import MonotonicClock
from cushion_player.errors import ConnectionLost, FetchError
from cushion_player.transport.base import FetchRequest, Transport, fetch_bytes
from cushion_player.transport.file import DataTransport, FileTransport
from tests.contracts.transport_suite import Case, Serving, TransportSuite, no_tasks_left

CLOCK = MonotonicClock()


class TestFileTransport(TransportSuite):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.root = tmp_path

    def run(self, content: Mapping[str, bytes], case: Case) -> None:
        for path, body in content.items():
            file = self.root / path.lstrip("/")
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(body)

        async def main() -> None:
            transport = FileTransport()
            await case(Serving(transport, CLOCK, lambda path: self.root.as_uri() + path))
            await transport.close()
            await no_tasks_left()

        asyncio.run(main())


def fetch(transport: Transport, url: str, byte_range: tuple[int, int | None] | None = None) -> bytes:
    async def main() -> bytes:
        return (await fetch_bytes(transport, FetchRequest(url, byte_range, label="the manifest"), CLOCK)).body

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("file:///nowhere/at/all.mpd", "no such file"),
        ("file://elsewhere/a.mpd", r"another machine \(elsewhere\)"),
        ("file:///tmp/%00", "null character"),
        ("http://host/a", "http URLs are not files"),
        ("a.mpd", "relative URLs are not files"),
    ],
)
def test_what_is_no_file_is_said_plainly(url: str, what: str) -> None:
    with pytest.raises(FetchError, match=f"the manifest: .*{what}") as caught:
        fetch(FileTransport(), url)
    assert not caught.value.retryable


def test_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="a directory, not a file"):
        fetch(FileTransport(), tmp_path.as_uri())


def test_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(FetchError, match="not a regular file"):
        fetch(FileTransport(), (tmp_path / "pipe").as_uri())


def test_localhost_is_this_machine(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"here")

    assert fetch(FileTransport(), f"file://localhost{tmp_path}/a") == b"here"


def test_file_that_shrinks_while_read_is_cut_short(tmp_path: Path) -> None:
    file = tmp_path / "a.m4s"
    file.write_bytes(bytes(200_000))

    async def main() -> None:
        async with FileTransport().stream(FetchRequest(file.as_uri())) as response:
            body = response.chunks()
            await anext(body)
            file.write_bytes(b"")
            with pytest.raises(ConnectionLost, match=r"ended at \d+ of 200000 bytes"):
                [chunk async for chunk in body]

    asyncio.run(main())


def test_media_type_and_range_are_told_as_http_would(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(bytes(100))

    async def main() -> None:
        async with FileTransport().stream(FetchRequest(file.as_uri(), (10, 500))) as response:
            assert response.status == 206
            assert response.headers["content-type"] == "video/mp4"
            assert response.headers["content-range"] == "bytes 10-99/100"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("data:,a%20b", b"a b"),
        ("data:text/plain;charset=utf-8,%C3%A4", "ä".encode()),
        ("data:application/octet-stream;base64,AAECAw==", b"\x00\x01\x02\x03"),
        ("DATA:,x", b"x"),
        ("data:,", b""),
    ],
)
def test_data_url_holds_its_body(url: str, body: bytes) -> None:
    assert fetch(DataTransport(), url) == body


def test_part_of_a_data_url() -> None:
    assert fetch(DataTransport(), "data:,abcdef", (2, 3)) == b"cd"


@pytest.mark.parametrize("url", ["data:no-comma", "data:;base64,A", "data:;base64,****", "http://host/"])
def test_broken_data_url_is_a_fetch_error(url: str) -> None:
    with pytest.raises(FetchError, match="the manifest: "):
        fetch(DataTransport(), url)
