"""Whether there is anything to open a window on. No Qt here: asking must cost nothing."""

from __future__ import annotations

import os
import sys


def has_display() -> bool:
    """Whether a window can open: macOS and Windows always; elsewhere X11 or Wayland, or a platform named for Qt."""
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
