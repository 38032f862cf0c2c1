"""Windows come from other rooms, through the entry-point group `cushion.renderers`.

An entry point's value is a function `(WindowRequest) -> SessionSummary`: it opens a window, plays until the window is
closed, the presentation has ended or `seconds` of media were played, closes everything, and returns the summary.
It is called on the main thread. It raises CushionError kinds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from cushion_player.errors import UsageError

if TYPE_CHECKING:
    from cushion_sdk.session_types import SessionOptions, SessionSummary

GROUP = "cushion.renderers"


@dataclass(frozen=True, slots=True)
class WindowRequest:
    """What to play in a window. `server` is "" when there is no backend; device data lie in `device_dir`.

    renderer: who draws the picture, as far as the window has a choice: `auto`, `raster`, `gpu`.
    """

    url: str
    options: SessionOptions
    device_dir: Path
    server: str = ""
    seconds: float | None = None
    renderer: str = "auto"


OpenWindow: TypeAlias = "Callable[[WindowRequest], SessionSummary]"


def find_window() -> OpenWindow:
    """The first installed window. Raises UsageError when there is none."""
    for needed in ("cushion_player.media.output", "cushion_player.media.pixels", "cushion_sdk.session"):
        import_module(needed)  # before a toolkit: PySide6 reads the source of every module that comes after it
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        return cast("OpenWindow", point.load())
    raise UsageError("there is no window to play in: install cushion-demo-app, or use --headless")
