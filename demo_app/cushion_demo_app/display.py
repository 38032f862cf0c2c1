"""Whether there is anything to open a window on. No Qt here: where no display answers, Qt ends the whole process."""

from __future__ import annotations

import os
import socket
import sys
from typing import Final

_TIMEOUT_S: Final = 2.0


def has_display() -> bool:
    """Whether a window can open: macOS and Windows always; elsewhere where X11 or Wayland answers, or by another
    platform named for Qt. A DISPLAY left over from a connection that ended is none."""
    if sys.platform in ("win32", "darwin"):
        return True
    if os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0] not in ("", "xcb", "wayland"):
        return True
    return _wayland_answers(os.environ.get("WAYLAND_DISPLAY", "")) or _x11_answers(os.environ.get("DISPLAY", ""))


def _wayland_answers(name: str) -> bool:
    return bool(name) and _answers(os.path.join(os.environ.get("XDG_RUNTIME_DIR", ""), name))


def _x11_answers(name: str) -> bool:
    """Whether a server listens at that `[host]:number[.screen]`."""
    host, _, number = name.rpartition(":")
    number = number.partition(".")[0]
    if not number.isdecimal():
        return False
    if host in ("", "unix"):
        path = f"/tmp/.X11-unix/X{number}"  # where X11 has it, whatever TMPDIR says
        return _answers(f"\0{path}") or _answers(path)
    return _answers((host.strip("[]"), 6000 + int(number)))


def _answers(address: str | tuple[str, int]) -> bool:
    try:
        if isinstance(address, tuple):
            socket.create_connection(address, timeout=_TIMEOUT_S).close()
            return True
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_TIMEOUT_S)
            connection.connect(address)
            return True
    except OSError:
        return False
