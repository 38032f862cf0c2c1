"""Everything the control bar shows, as one value."""

from __future__ import annotations

from dataclasses import dataclass

from cushion_demo_app.menus import Menu


@dataclass(frozen=True, slots=True)
class ControlState:
    """Times are seconds of the title. start_s, end_s: what the bar reaches over; of live, the window."""

    position_s: float = 0.0
    start_s: float = 0.0
    end_s: float = 0.0
    buffered_until_s: float = 0.0
    playing: bool = False
    ended: bool = False
    volume: float = 1.0
    muted: bool = False
    loops: bool = False
    is_live: bool = False
    behind_s: float = 0.0
    """How far behind the live edge."""
    is_at_edge: bool = False
    can_seek: bool = True
    quality: Menu | None = None
    sound: Menu | None = None
    text: Menu | None = None
    speed: Menu | None = None
    link: Menu | None = None
