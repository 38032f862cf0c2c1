"""Where a data directory is being served: a small file beside the data, and whether it is still true."""

from __future__ import annotations

import contextlib
import http.client
import os
from pathlib import Path
from urllib.parse import urlsplit

import msgspec


class ServerAddress(msgspec.Struct, frozen=True):
    """The content of `server/address.json`, there from readiness to the end."""

    url: str
    pid: int


def write_address(path: Path, url: str) -> None:
    """Say where this process serves, atomically."""
    staged = path.with_suffix(f".{os.getpid()}.tmp")
    staged.write_bytes(msgspec.json.encode(ServerAddress(url, os.getpid())))
    staged.replace(path)


def remove_address(path: Path) -> None:
    """Take this process's address away; another's stays."""
    found = read_address(path)
    if found is not None and found.pid == os.getpid():
        path.unlink(missing_ok=True)


def read_address(path: Path) -> ServerAddress | None:
    """What the file says, None when there is none or it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=ServerAddress)
    except (OSError, msgspec.MsgspecError):
        return None


def remember_port(path: Path, url: str) -> None:
    """Keep the port of `url` for next time; a disk that will not is no reason to stop."""
    with contextlib.suppress(OSError):
        path.write_text(str(urlsplit(url).port or 0), encoding="ascii")


def last_port(path: Path) -> int:
    """The port of last time, 0 when there was none."""
    try:
        port = int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
    return port if 0 < port <= 65_535 else 0


def live_address(path: Path, timeout_s: float = 1.0) -> ServerAddress | None:
    """The address, if a backend answers there now; a file left by a killed one is no answer."""
    found = read_address(path)
    if found is None:
        return None
    host = urlsplit(found.url)
    connection = http.client.HTTPConnection(host.hostname or "", host.port or 80, timeout=timeout_s)
    try:
        connection.request("GET", "/healthz")
        return found if connection.getresponse().status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
