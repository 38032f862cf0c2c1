"""What goes into a session and what can be read off it: options, snapshot, summary. Values only.

Times are float seconds; rates bit/s; rungs count from 0, the lowest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cushion_abr import DEFAULT_RULE
from cushion_player.keys import KeyProvider
from cushion_sdk.contracts.resume import DEFAULT_PROFILE_ID
from cushion_sdk.tracks import CaptionInfo, RungCap, RungInfo, TrackInfo

if TYPE_CHECKING:
    from cushion_player.player import InterstitialSnapshot

SUMMARY_SCHEMA = 1


class SessionState(StrEnum):
    """Where a session stands. LOADING is everything before the clock first runs."""

    LOADING = "loading"
    READY = "ready"
    PLAYING = "playing"
    PAUSED = "paused"
    REBUFFERING = "rebuffering"
    SEEKING = "seeking"
    ENDED = "ended"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How to play. Every default works.

    rule: an ABR rule's name in cushion_abr.registry; rule_params are its parameters by name.
    trace: the link to play over: a name in cushion_traces.named, or a trace file; None is the network as it is.
    start_s: where to start; None starts where the profile stopped, or at 0.
    """

    rule: str = DEFAULT_RULE
    rule_params: Mapping[str, float] = field(default_factory=dict)
    trace: str | Path | None = None
    start_s: float | None = None
    manifest_format: Literal["dash", "hls"] = "dash"
    """Which manifest of a catalog title to play; a URL is what it is."""
    other_urls: tuple[str, ...] = ()
    """Where the same manifest is asked for when the first address does not do."""
    journal_path: Path | None = None
    volume: float = 1.0
    buffer_goal_s: float = 30.0
    profile_id: str = DEFAULT_PROFILE_ID
    remember_throughput: bool = True
    """Begin at the rung that the network carried last time (minutes ago, same server), and remember this time's."""
    report_to_backend: bool = True
    """Send telemetry and positions to the backend, when there is one. Positions are kept on the device in any case."""
    max_height_px: int | None = None
    max_bitrate_bps: int | None = None
    audio_language: str | None = None
    """BCP 47; `en` also takes `en-GB`. None, or a language that is not there: the title's own choice."""
    text_language: str | None = None
    """Of subtitles; None shows none but forced ones."""
    key_provider: KeyProvider | None = field(default=None, repr=False)
    """Who has the keys of encrypted titles, beside the addresses that manifests give (cushion_player.keys)."""
    subtitles_path: Path | None = None
    """A file of subtitles to show besides (SubRip, WebVTT or TTML)."""
    subtitle_offset_s: float = 0.0
    """How much later its subtitles are shown; earlier when negative."""
    captions: str = ""
    """Captions inside the picture to show: `CC1` to `CC4`, `SERVICE1` to `SERVICE6`; "" for none."""
    hardware: str = "auto"
    """What is tried for decoding pictures, before software: `auto`, `off`, or names of FFmpeg's devices with commas.

    For outputs that are made for a session, in a window or headless; an output that is given has its own.
    """
    thumbnails_url: str = ""
    """Of a WebVTT file that lists small pictures for the seek bar; "" takes those the manifest has."""
    plays_interstitials: bool = True
    """Play what a manifest puts in between (HLS interstitials, alternative MPDs)."""
    seed: int | None = None
    """Of all that is left to chance: waits between tries, the choice among hosts of one priority. None draws one."""

    def __post_init__(self) -> None:
        if self.start_s is not None and not 0.0 <= self.start_s < math.inf:
            raise ValueError(f"start_s must be finite and not negative, got {self.start_s}")
        if not math.isfinite(self.subtitle_offset_s):
            raise ValueError(f"subtitle_offset_s must be finite, got {self.subtitle_offset_s}")
        if not 0.0 <= self.volume <= 1.0:
            raise ValueError(f"volume lies between 0.0 and 1.0, got {self.volume}")
        if self.buffer_goal_s <= 0:
            raise ValueError(f"buffer_goal_s must be positive, got {self.buffer_goal_s}")


@dataclass(frozen=True, slots=True)
class SessionProblem:
    """Something that went wrong, as people and programs read it. `code` is a code of cushion_player.errors."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class SessionSnapshot:
    """A session at one moment. Before the presentation is known `n_rungs` and `duration_s` are 0; `rung` is -1."""

    state: SessionState = SessionState.LOADING
    position_s: float = 0.0
    duration_s: float = 0.0
    buffer_s: float = 0.0
    rung: int = -1
    n_rungs: int = 0
    height_px: int = 0
    bitrate_bps: int = 0
    interstitial: InterstitialSnapshot | None = None
    """What plays in between now, while the title waits; its times are in µs."""
    tracks: tuple[TrackInfo, ...] = ()
    """Audio and subtitles there are to choose from."""
    rungs: tuple[RungInfo, ...] = ()
    """Qualities of the picture at the position, the lowest first."""
    cap: RungCap | None = None
    """What the player keeps below just now, limits of the viewer apart."""
    captions: tuple[CaptionInfo, ...] = ()
    """Captions inside the picture, as far as the manifest says."""
    captions_shown: str = ""
    """The service that is shown; "" for none."""
    has_thumbnails: bool = False
    throughput_bps: float = 0.0
    """What the rule believes the network carries; 0.0 while unknown."""
    frames_shown: int = 0
    frames_dropped: int = 0
    rebuffer_count: int = 0
    rebuffer_s: float = 0.0
    startup_s: float | None = None
    trace: str = "unshaped"
    rule: str = ""
    title: str = ""
    volume: float = 1.0
    error: SessionProblem | None = None
    attempts: tuple[str, ...] = ()
    """When it failed: every request that was tried in vain for what is missing, oldest first, a sentence each."""
    is_live: bool = False
    """It goes on: `duration_s` is where it ends so far. False once it has ended."""
    live_latency_s: float = 0.0
    """How far behind the live edge; 0.0 when it is not live."""
    target_latency_s: float = 0.0
    """How far that is meant to be."""
    window_start_s: float = 0.0
    window_end_s: float = 0.0
    """What can be played now; on demand, all of it."""


@dataclass(frozen=True, slots=True)
class RungSpan:
    """From session time `time_s` on, this rung was shown. Session time counts from the opening of the session."""

    time_s: float
    rung: int
    height_px: int
    bitrate_bps: int


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """What happened in a session: the object `cushion play --json` prints. docs/session-summary.md defines each key."""

    startup_s: float | None
    rebuffer_s: float
    rebuffer_count: int
    frames_shown: int
    frames_dropped: int
    frames_expected: int | None
    """Frames that the media clock passed; None when the presentation does not say its frame rate."""
    played_s: float
    rungs: tuple[RungSpan, ...]
    mean_bitrate_bps: int
    switches: int
    resume_from_s: float
    telemetry_events_acked: int
    errors: tuple[SessionProblem, ...]
    schema: int = SUMMARY_SCHEMA
