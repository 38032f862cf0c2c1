"""What a live site is told: the programme, its clock, and which of the formats' mechanisms it uses. Values only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cushion_player.testing.live.asset import LiveAsset

SECOND_US = 1_000_000
SPLICE_INSERT = bytes.fromhex("fc302500000000000000fff01405000000017feffe0000000000fe00a4cb8000000000000054ca5a8d")
"""A SCTE 35 splice_insert of 120 s, out of network."""

Cipher = Callable[[bytes, bytes, bytes], bytes]
"""(key, initialisation vector, clear bytes) to encrypted bytes."""


@dataclass(frozen=True, slots=True)
class Programme:
    """One period (DASH) or stretch between discontinuities (HLS): so many segments of an asset.

    n_segments: None goes on for ever, which only the last may.
    """

    asset: LiveAsset
    n_segments: int | None = None


@dataclass(frozen=True, slots=True)
class Pathway:
    """One of several places with the same content. base_url: absolute, ending with a slash."""

    name: str
    base_url: str


@dataclass(frozen=True, slots=True)
class Clone:
    """A pathway that the steering server makes from another (PATHWAY-CLONES); host replaces the URLs' host."""

    base_id: str
    id: str
    host: str


@dataclass(frozen=True, slots=True)
class Steering:
    """What the steering server answers.

    order: (from µs since the start, pathways), ascending. server_url: "" is `steering.json` of this site.
    """

    order: tuple[tuple[int, tuple[str, ...]], ...]
    ttl_s: int = 300
    clones: tuple[Clone, ...] = ()
    query_before_start: bool = False
    server_url: str = ""

    def at(self, elapsed_us: int) -> tuple[str, ...]:
        """The pathways, preferred first."""
        current = self.order[0][1]
        for from_us, pathways in self.order:
            if from_us <= elapsed_us:
                current = pathways
        return current


@dataclass(frozen=True, slots=True)
class Breaks:
    """Events that recur: announced by SCTE 35, and as interstitials where there is something to play.

    first_us, every_us, duration_us: presentation time. asset_urls: what to play in the break; the first (HLS: a
    playlist, DASH: an MPD), or all of them through an asset list when `is_list`. replaces: the main programme goes on
    beneath (the resume offset is then left to the player unless given); False: it waits.
    """

    first_us: int
    every_us: int
    duration_us: int
    scte35: bytes = SPLICE_INSERT
    asset_urls: tuple[str, ...] = ()
    dash_asset_url: str = ""
    is_list: bool = False
    asset_s: float = 10.0
    """Each asset's length, for the list."""
    replaces: bool = True
    resume_offset_s: float | None = None
    playout_limit_s: float | None = None
    restrict: tuple[str, ...] = ()
    snap: tuple[str, ...] = ()
    cue: tuple[str, ...] = ()

    def time_us(self, number: int) -> int:
        return self.first_us + number * self.every_us

    def between(self, start_us: int, end_us: int) -> range:
        """Numbers of the breaks that begin in start_us … end_us - 1."""
        first = max(0, -(-(start_us - self.first_us) // self.every_us))
        return range(first, max(first, -(-(end_us - self.first_us) // self.every_us)))


@dataclass(frozen=True, slots=True)
class DashOptions:
    """addressing: `number` (a pattern by @duration), `timeline-number` or `timeline-time`.

    utc_timing: any of `direct`, `http-head`, `http-xsdate`, `http-iso`, in the order they are offered.
    ends_as: what the MPD becomes when the event has ended: `static`, with all segments from the beginning, or
        `duration` (still dynamic, no more updates).
    """

    addressing: str = "number"
    minimum_update_s: float | None = 2.0
    suggested_delay_s: float | None = None
    utc_timing: tuple[str, ...] = ("http-xsdate",)
    latency_ms: tuple[int, int, int] | None = None
    """Target, least, most."""
    rates: tuple[float, float] | None = None
    has_patch: bool = False
    patch_ttl_s: int = 60
    ends_as: str = "static"
    has_reference_time: bool = False
    has_inband_events: bool = False
    lead_s: float = 0.0
    """How long before its start a period appears."""

    def __post_init__(self) -> None:
        if self.addressing not in ("number", "timeline-number", "timeline-time"):
            raise ValueError(f"addressing {self.addressing!r}")
        if self.ends_as not in ("static", "duration"):
            raise ValueError(f"ends_as {self.ends_as!r}")


@dataclass(frozen=True, slots=True)
class HlsOptions:
    """skip_until_s: offers delta updates that leave out what is older. segments_per_key: AES-128 with a new key every
    so many segments, by `cipher` (the site has none of its own)."""

    has_program_time: bool = True
    can_block: bool = True
    """In low latency: reloads that wait for what they name."""
    skip_until_s: float | None = None
    has_reports: bool = True
    hold_back_s: float | None = None
    playlist_type: str = ""
    """`EVENT` with no window, "" for a sliding one."""
    segments_per_key: int = 0
    cipher: Cipher | None = None


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """One live (or on-demand) service.

    start_us: when it began, µs since 1970 UTC. end_us: how long it lasts (rounded up to a whole segment).
    is_vod: all of it is there at any time. window_us: how much of the past stays; None: all.
    is_low_latency: chunks (DASH) and parts (HLS) are offered as soon as they are made.
    """

    programmes: tuple[Programme, ...]
    repeats: bool = False
    """The programmes begin again after the last."""
    start_us: int = 0
    end_us: int | None = None
    is_vod: bool = False
    window_us: int | None = 30 * SECOND_US
    is_low_latency: bool = False
    pathways: tuple[Pathway, ...] = ()
    steering: Steering | None = None
    breaks: Breaks | None = None
    dash: DashOptions = field(default_factory=DashOptions)
    hls: HlsOptions = field(default_factory=HlsOptions)

    def __post_init__(self) -> None:
        endless = [index for index, item in enumerate(self.programmes) if item.n_segments is None]
        if not self.programmes or endless[:1] not in ([], [len(self.programmes) - 1]) or (self.repeats and endless):
            raise ValueError("only the last programme may be endless, and none of those that repeat")
        if self.is_vod and self.end_us is None:
            raise ValueError("what is on demand has an end")
