"""One session in virtual time: the real engine, a modelled link, and what came of it.

This is depth `engine`: what runs here is what runs in the player, but for the clock, the bytes and the decoders.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cushion_abr import DEFAULT_RULE, qoe
from cushion_abr.registry import get_rule
from cushion_player.engine import EngineConfig, PlaybackEngine
from cushion_player.notices import PlaybackEnded, PlaybackFailed, RebufferEnded, RebufferStarted, SegmentLoaded
from cushion_player.testing.virtual import VirtualDriver
from cushion_player.timeline import Timeline, TrackKind
from cushion_simulator.movie import Movie
from cushion_traces.link import Link

LIMIT_US: Final = 24 * 3600 * 1_000_000
"""Virtual time after which a session is cut off; a link may be too slow to ever finish."""


@dataclass(frozen=True, slots=True)
class SegmentOutcome:
    """One segment of the main track as it was fetched. Times in µs of the session's clock, which starts at 0."""

    index: int
    rung: int
    bitrate_bps: int
    duration_us: int
    size_bytes: int
    request_us: int
    first_byte_us: int
    end_us: int
    buffer_us: int
    """Media ahead just after it came."""
    rebuffer_us: int
    """How long playback stood still waiting for it, the start-up aside."""


@dataclass(frozen=True, slots=True)
class SessionResult:
    """What came of a session."""

    rule: str
    outcome: str
    """`ended`, `failed`, or `cut` when the limit of virtual time came first."""
    failure: str
    """The sentence of the failure, empty otherwise."""
    startup_us: int | None
    """From the start verb to the first movement of the clock; None when it never moved."""
    end_us: int
    """When the session ended, by its own clock."""
    rebuffer_count: int
    rebuffer_us: int
    segments: tuple[SegmentOutcome, ...]
    """Of the main track, in order."""

    @property
    def records(self) -> tuple[qoe.SegmentRecord, ...]:
        """What `cushion_abr.qoe` judges."""
        return tuple(
            qoe.SegmentRecord(segment.bitrate_bps, segment.duration_us, segment.rebuffer_us)
            for segment in self.segments
        )

    def figures(self) -> dict[str, float | int | str | None]:
        """The figures of merit, with units in the names, ready for JSON."""
        records = self.records
        return {
            "rule": self.rule,
            "outcome": self.outcome,
            "failure": self.failure,
            "startup_s": None if self.startup_us is None else self.startup_us / 1e6,
            "end_s": self.end_us / 1e6,
            "rebuffer_count": self.rebuffer_count,
            "rebuffer_s": self.rebuffer_us / 1e6,
            "rebuffer_ratio": qoe.rebuffer_ratio(records),
            "mean_bitrate_bps": qoe.mean_bitrate_bps(records),
            "switches": qoe.switches(records),
            "rungs_used": len({segment.rung for segment in self.segments}),
            "linear_qoe": qoe.linear_qoe(records),
            "media_bytes": sum(segment.size_bytes for segment in self.segments),
        }


def simulate(
    media: Movie | Timeline,
    link: Link | None,
    rule: str = DEFAULT_RULE,
    *,
    params: Mapping[str, float] | None = None,
    config: EngineConfig | None = None,
    seed: int = 0,
    limit_us: int = LIMIT_US,
) -> SessionResult:
    """Play `media` from its start to its end over `link` (None is an infinitely fast one).

    rule: a name known to `cushion_abr.registry`, with its params. config: of the engine, as in the player.
    Raises UnknownRule and RuleParameterError before anything runs.
    """
    get_rule(rule).make_params(params or {})
    timeline = media.timeline() if isinstance(media, Movie) else media
    engine = PlaybackEngine(config, rule, params, seed)
    driver = VirtualDriver(engine, timeline, link)
    driver.start()
    driver.run(until_us=limit_us)
    snapshot = engine.snapshot(driver.now_us)
    outcome, failure = _outcome(driver)
    return SessionResult(
        rule=rule,
        outcome=outcome,
        failure=failure,
        startup_us=snapshot.startup_us,
        end_us=driver.now_us,
        rebuffer_count=snapshot.rebuffer_count,
        rebuffer_us=snapshot.rebuffer_us,
        segments=_segments(driver, timeline),
    )


def _outcome(driver: VirtualDriver) -> tuple[str, str]:
    last = driver.notices[-1][1] if driver.notices else None
    if isinstance(last, PlaybackEnded):
        return "ended", ""
    if isinstance(last, PlaybackFailed):
        return "failed", last.message
    return "cut", ""


def _segments(driver: VirtualDriver, timeline: Timeline) -> tuple[SegmentOutcome, ...]:
    """The main track's segments; a rebuffer belongs to the segment at the position where playback stood still."""
    main = timeline.first(TrackKind.VIDEO) or timeline.first(TrackKind.AUDIO)
    assert main is not None, "a timeline has video or audio"
    stalled_us: dict[int, int] = {}
    since: tuple[int, int] | None = None
    loaded: list[SegmentLoaded] = []
    for now, notice in driver.notices:
        match notice:
            case RebufferStarted():
                since = now, main.segment_at(notice.position_us)
            case RebufferEnded() if since is not None:
                stalled_us[since[1]] = stalled_us.get(since[1], 0) + notice.duration_us
                since = None
            case SegmentLoaded(track=main.kind):
                loaded.append(notice)
            case _:
                pass
    if since is not None:
        stalled_us[since[1]] = stalled_us.get(since[1], 0) + driver.now_us - since[0]
    return tuple(
        SegmentOutcome(
            index=segment.index,
            rung=segment.rung,
            bitrate_bps=main.rungs[segment.rung].bitrate_bps,
            duration_us=main.start_us[segment.index + 1] - main.start_us[segment.index],
            size_bytes=segment.size_bytes,
            request_us=segment.request_us,
            first_byte_us=segment.first_byte_us,
            end_us=segment.end_us,
            buffer_us=segment.buffer_us,
            rebuffer_us=stalled_us.get(segment.index, 0),
        )
        for segment in loaded
    )
