"""Clips and opened backends for the servers' tests."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest

from cushion_servers.api.app import BackendApp
from cushion_servers.backend import Backend, open_backend
from cushion_servers.config import BackendConfig
from cushion_servers.testing import CountingRunner, MemoryStore
from cushion_servers.transcode.facts import Source
from cushion_servers.transcode.probe import probe
from cushion_servers.transcode.testing import write_clip

MakeClip = Callable[..., Path]


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4.8 s at 25 fps, 320 x 180, with a click each second: three segments, the last one short; two rungs."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", frames=120, width_px=320, height_px=180)


@pytest.fixture(scope="session")
def clip_source(clip: Path) -> Source:
    return probe(str(clip))


@pytest.fixture(scope="session")
def ntsc_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3 s at 30000/1001, 160 x 90, silent."""
    return write_clip(tmp_path_factory.mktemp("ntsc") / "ntsc.mp4", frames=90, fps=Fraction(30_000, 1001), sound=False)


@pytest.fixture
def damaged_clip(clip: Path, tmp_path: Path) -> Path:
    """The clip with 4000 bytes of its media zeroed."""
    data = bytearray(clip.read_bytes())
    start = data.index(b"mdat") + len(data) // 3
    data[start : start + 4000] = bytes(4000)
    (tmp_path / "damaged.mp4").write_bytes(data)
    return tmp_path / "damaged.mp4"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def runner(store: MemoryStore) -> CountingRunner:
    return CountingRunner(store)


@pytest.fixture
async def backend(tmp_path: Path, store: MemoryStore, runner: CountingRunner) -> AsyncGenerator[Backend, None]:
    async with open_backend(BackendConfig(data_dir=tmp_path), store=store, runner=runner, now_ms=lambda: 5) as opened:
        yield opened


@pytest.fixture
async def client(backend: Backend) -> AsyncGenerator[httpx.AsyncClient, None]:
    app: Any = BackendApp(backend)
    transport = httpx.ASGITransport(app)
    async with contextlib.AsyncExitStack() as stack:
        yield await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://backend"))
