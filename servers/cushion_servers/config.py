"""The backend's settings, built once by the command and passed down."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_DATA_DIR = Path(".cushion")


@dataclass(frozen=True, slots=True)
class BackendConfig:
    """Settings of one backend. `data_dir` is the demo's; the backend keeps to `server/` inside it."""

    data_dir: Path = DEFAULT_DATA_DIR
    host: str = "127.0.0.1"
    port: int = 0
    """0 takes the one of last time, so that clients find it again, or a free one if that is taken."""
    workers: int = 2
    """Worker processes for encoding; they start with the first ingest."""
    cache_bytes: int = 128 * 1024 * 1024
    """Memory for hot media objects."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise ValueError(f"port must be between 0 and 65535, not {self.port}")
        if self.workers < 1 or self.cache_bytes < 0:
            raise ValueError("a backend needs at least one worker and no negative cache")

    @property
    def server_dir(self) -> Path:
        return self.data_dir / "server"

    @property
    def store_dir(self) -> Path:
        return self.server_dir / "store"

    @property
    def database_path(self) -> Path:
        return self.server_dir / "server.db"

    @property
    def port_path(self) -> Path:
        return self.server_dir / "last-port"

    @property
    def address_path(self) -> Path:
        return self.server_dir / "address.json"
