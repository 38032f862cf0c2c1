"""What a scenario is: a service, what goes wrong, what the viewer does, and how it must end. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cushion_player.testing.fault_script import Rule
from cushion_player.testing.live import LiveConfig
from cushion_player.testing.transport import Content

Bounds = tuple[int, int]
ANY: Bounds = (0, 1000)


@dataclass(frozen=True, slots=True)
class Ends:
    """Playback comes to the end of the title. (least, most) of what may happen on the way."""

    rebuffers: Bounds = (0, 0)
    damaged: Bounds = (0, 0)
    skipped: Bounds = (0, 0)
    within_s: float = 60.0


@dataclass(frozen=True, slots=True)
class GoesOn:
    """Playback is still under way when the viewer leaves, after at least so many seconds of it."""

    seconds: float
    rebuffers: Bounds = (0, 0)
    damaged: Bounds = (0, 0)
    skipped: Bounds = (0, 0)
    within_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Fails:
    """Playback fails with one of these codes, and says what was tried."""

    codes: tuple[str, ...]
    mentions: tuple[str, ...] = ()
    within_s: float = 90.0


@dataclass(frozen=True, slots=True)
class Refused:
    """The title does not load; the error has one of these codes."""

    codes: tuple[str, ...]
    mentions: tuple[str, ...] = ()
    within_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Seek:
    """Seconds since the scenario began; presentation time."""

    at_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class Pause:
    at_s: float
    for_s: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """needs: a feature in PENDING that must be there first; "" when it works.

    from_s: what the clock (since 1970 UTC) says at the beginning. leave_s: when the viewer leaves; None: at the end.
    link_bps: a shared bottleneck; 0 is none. asks: hosts that must have been asked for media, and
    paths that must have been asked for. content: beside the hosts' site.
    """

    name: str
    config: LiveConfig
    expect: Ends | GoesOn | Fails | Refused
    rules: tuple[Rule, ...] = ()
    url: str = "http://one/live.mpd"
    also: tuple[str, ...] = ()
    """Other addresses of the manifest."""
    hosts: tuple[str, ...] = ("http://one",)
    from_s: float = 0.0
    start_s: float = 0.0
    leave_s: float | None = None
    acts: tuple[Seek | Pause, ...] = ()
    link_bps: int = 0
    max_requests: int = 150
    asks: tuple[str, ...] = ()
    avoids: tuple[str, ...] = ()
    """Hosts that must not have been asked for media."""
    needs: str = ""
    content: Mapping[str, Content] = field(default_factory=dict[str, Content])
