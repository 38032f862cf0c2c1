from __future__ import annotations

import httpx
import pytest

from cushion_servers.api.edge import Edge
from cushion_servers.testing import MemoryStore

NAME = "objects/ab/abcdef.m4s"
DATA = bytes(range(200))


@pytest.fixture
def edge(store: MemoryStore) -> Edge:
    store.put(NAME, DATA)
    store.put("objects/ab/ffff.mp4", b"init")
    store.put("objects/ab/eeee.jpg", b"jpeg")
    store.put("titles/t/manifest.mpd", b"<MPD/>")
    store.put("titles/t/master.m3u8", b"#EXTM3U")
    return Edge(store, 1 << 20)


@pytest.fixture
def media(edge: Edge) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(edge)
    return httpx.AsyncClient(transport=transport, base_url="http://edge/media/")


async def test_segment_is_whole_typed_immutable_and_open_to_all_origins(media: httpx.AsyncClient) -> None:
    response = await media.get(NAME)

    assert (response.status_code, response.content) == (200, DATA)
    assert response.headers["content-type"] == "video/mp4"
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["access-control-allow-origin"] == "*"
    assert "Content-Range" in response.headers["access-control-expose-headers"]
    assert response.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("titles/t/manifest.mpd", "application/dash+xml"),
        ("titles/t/master.m3u8", "application/vnd.apple.mpegurl"),
        ("objects/ab/ffff.mp4", "video/mp4"),
        ("objects/ab/eeee.jpg", "image/jpeg"),
    ],
)
async def test_types(media: httpx.AsyncClient, name: str, kind: str) -> None:
    assert (await media.get(name)).headers["content-type"] == kind


async def test_manifest_is_revalidated_and_changes_are_seen(media: httpx.AsyncClient, store: MemoryStore) -> None:
    first = await media.get("titles/t/manifest.mpd")
    same = await media.get("titles/t/manifest.mpd", headers={"If-None-Match": first.headers["etag"]})
    store.put("titles/t/manifest.mpd", b"<MPD id='2'/>")
    changed = await media.get("titles/t/manifest.mpd", headers={"If-None-Match": first.headers["etag"]})

    assert "must-revalidate" in first.headers["cache-control"]
    assert (same.status_code, same.content) == (304, b"")
    assert (changed.status_code, changed.content) == (200, b"<MPD id='2'/>")


async def test_ranges(media: httpx.AsyncClient) -> None:
    part = await media.get(NAME, headers={"Range": "bytes=10-19"})
    whole = await media.get(NAME, headers={"Range": "bytes=0-199"})
    beyond = await media.get(NAME, headers={"Range": "bytes=200-"})
    stale = await media.get(NAME, headers={"Range": "bytes=10-19", "If-Range": '"other"'})

    assert (part.status_code, part.content, part.headers["content-range"]) == (206, DATA[10:20], "bytes 10-19/200")
    assert (whole.status_code, whole.content) == (206, DATA)
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */200")
    assert beyond.headers["content-type"] == "application/problem+json"
    assert (stale.status_code, stale.content) == (200, DATA)


async def test_head_has_the_headers_and_no_body(media: httpx.AsyncClient) -> None:
    response = await media.head(NAME)

    assert (response.status_code, response.content, response.headers["content-length"]) == (200, b"", "200")


async def test_preflight_allows_ranges(media: httpx.AsyncClient) -> None:
    response = await media.options(NAME, headers={"Origin": "https://a.example"})

    assert response.status_code == 204
    assert "Range" in response.headers["access-control-allow-headers"]
    assert "GET" in response.headers["access-control-allow-methods"]


async def test_media_cannot_be_written(media: httpx.AsyncClient) -> None:
    response = await media.put(NAME, content=b"x")

    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize(
    "path",
    ["objects/no.m4s", "objects/%2e%2e/server.db", "objects/..%2f..%2fserver.db", "server.db", "titles//x", ""],
)
async def test_unknown_and_climbing_paths_are_not_found(media: httpx.AsyncClient, path: str) -> None:
    response = await media.get(path)

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"
    assert response.headers["access-control-allow-origin"] == "*"


async def test_hot_object_is_served_from_memory(media: httpx.AsyncClient, store: MemoryStore, edge: Edge) -> None:
    await media.get(NAME)
    del store.objects[NAME]

    assert (await media.get(NAME)).content == DATA
    assert edge.cache.size_bytes == len(DATA)
