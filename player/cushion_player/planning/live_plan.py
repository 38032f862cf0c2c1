"""Planning a live presentation: a timeline that goes on with each refresh, and the addresses behind it. Pure.

Times of day come as the engine's `now` and what to add to it for µs since 1970 UTC. Position 0 is where the first
manifest's first period starts, and stays there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from cushion_player.errors import ManifestError, UnsupportedManifestFeature
from cushion_player.manifest.hls_refresh import reload_delay
from cushion_player.model import US_PER_S, Period, Presentation, Representation, Segment, seconds_to_us
from cushion_player.planning.addressing import PlaybackPlan, steering_hint
from cushion_player.planning.availability import HOLD_BACK_TARGETS, Available, available_segments, presentation_delay
from cushion_player.planning.choosing import Choice, Chooser, Line, continue_line, has_sound, track_key, why_not
from cushion_player.planning.layout import Names, settle_holes
from cushion_player.planning.live_chunks import (
    MIN_REFRESH_US,
    dash_chunk_us,
    dash_early_us,
    dash_refresh_us,
    hls_part_us,
)
from cushion_player.planning.live_layout import LiveLayout
from cushion_player.timeline import LiveEdge, Timeline, TrackKind
from cushion_player.timeline_update import TimelineUpdate, TrackUpdate, updated

AHEAD = Fraction(60)
"""How far beyond the edge a pattern is laid out: refreshes are nearer together."""
BLOCKING_REFRESH_US = 100_000
"""Where the server answers once there is something new."""
DEFAULT_RATES = (0.96, 1.04)
"""How far playback may slow down or speed up where nothing is said: not heard with the pitch kept, hardly seen."""
SPARE_US = 500_000
"""The wanted latency is never nearer to the edge than the last whole segment and this: requests take time too."""


@dataclass(frozen=True, slots=True)
class _Follower:
    """A track and the line it follows from period to period."""

    line: Line
    layout: LiveLayout
    kind: TrackKind


class LivePlanner:
    """Keeps the plan of one live presentation. `plan` is the newest."""

    def __init__(
        self, presentation: Presentation, *, now: int, utc_offset_us: int, language: str | None = None
    ) -> None:
        """now: the engine's clock; utc_offset_us: what to add to it for µs since 1970 UTC.

        Raises UnsupportedManifestFeature when nothing of it can be played, ManifestError when nothing is there yet.
        """
        self._language = language
        self._origin = presentation.periods[0].start
        self._names = Names()
        self._rungs: dict[str, int] = {}
        self._keys: frozenset[str] = frozenset()
        """The tracks that are followed; all when it is empty."""
        self._hls_offset_us: int | None = None
        self.may_block = True
        """Whether servers that say they hold reloads back until there is something new do so."""
        self._presentation = presentation
        periods = [period for period in presentation.periods if period.adaptation_sets]
        if not periods:
            raise ManifestError("the live presentation has no media yet", location=presentation.url)
        chooser = Chooser(presentation, periods, language)
        video, text = chooser.video(), chooser.text()
        audio = chooser.audio(video)
        lines = [(TrackKind.VIDEO, line) for line in ([video] if video is not None else [])]
        lines += [(TrackKind.AUDIO, line) for line in audio] + [(TrackKind.TEXT, line) for line in text]
        if not video and not audio:
            raise UnsupportedManifestFeature(why_not(presentation, periods), location=presentation.url)
        keys: set[str] = set()
        self._followers = [
            _Follower(
                line,
                LiveLayout(kind, track_key(kind, line, keys), line.lead.adaptation_set, self._origin, self._names),
                kind,
            )
            for kind, line in lines
        ]
        utc = Fraction(now + utc_offset_us, US_PER_S)
        for follower in self._followers:
            for period, choice in zip(periods, follower.line.choices, strict=True):
                self._lay(follower, period, choice, utc)
        self._followers = [each for each in self._followers if each.layout.has_media]
        if not any(each.kind is not TrackKind.TEXT for each in self._followers):
            raise ManifestError("nothing of the live presentation is there yet", location=presentation.url)
        tracks = [each.layout.planned(each.layout.track()) for each in self._followers]
        n_main = sum(each.kind is not TrackKind.TEXT for each in self._followers)
        settled = settle_holes(tracks[:n_main]) + tracks[n_main:]
        for follower, planned in zip(self._followers, settled, strict=True):
            follower.layout.as_gaps(planned.track.gaps)
        has_audio = any(each.kind is TrackKind.AUDIO for each in self._followers)
        timeline = Timeline(
            tuple(planned.track for planned in settled),
            self._end_us(),
            is_live=True,
            live=self._edge(now, utc_offset_us, has_changed=True),
            steering=steering_hint(presentation),
        )
        self.plan = PlaybackPlan(
            replace(timeline, start_us=self._start_us(timeline, now)),
            (*chooser.repairs, *(repair for each in self._followers for repair in each.layout.repairs)),
            has_muxed_audio=video is not None and not has_audio and has_sound(video),
            _tracks={planned.track.key: planned for planned in settled},
        )

    # ------------------------------------------------------------------ going on

    def update(
        self, presentation: Presentation, *, now: int, utc_offset_us: int, has_changed: bool = True
    ) -> TimelineUpdate:
        """How the timeline goes on with a newer version of the presentation, or with the same one a while later.

        has_changed: whether the manifest brought anything new; playlists that did not are asked for again sooner.
        """
        utc = Fraction(now + utc_offset_us, US_PER_S)
        if presentation is not self._presentation:
            self.adopt(presentation)
        for period in self._open_periods():
            self._go_on(period, utc)
        live = None if self._has_ended(utc) else self._edge(now, utc_offset_us, has_changed=has_changed)
        window_us = self._window_start_us(live, now)
        changes = [each.layout.take_update(window_us) for each in self._followers]
        update = TimelineUpdate(live, self._end_us(), tuple(change for change in changes if change is not None))
        timeline = updated(self.plan.timeline, update)
        if any(change.blanks for change in update.tracks):
            timeline, update = self._settle(timeline, update)
        self.plan = replace(self.plan, timeline=timeline)
        self._renew_plan()
        return update

    def _open_periods(self) -> list[Period]:
        """The periods that a track may go on in: from the one that was laid out last."""
        periods = [period for period in self._presentation.periods if period.adaptation_sets]
        open_ids = {each.layout.period for each in self._followers}
        first = next((at for at, period in enumerate(periods) if period.id in open_ids), None)
        if first is None:  # all are new: those that begin where something is already are not
            reached_us = min(each.layout.end_us for each in self._followers)
            return [period for period in periods if _ends_after(period, self._origin, reached_us)]
        return periods[first:]

    def _go_on(self, period: Period, utc: Fraction) -> None:
        fresh: Chooser | None = None
        video: Line | None = None
        for follower in self._followers:
            choice = follower.layout.choice_in(period)
            if choice is None:
                if fresh is None:
                    fresh = Chooser(self._presentation, [period], self._language)
                    video = fresh.video()
                choice = _continued(follower, fresh, video)
            self._lay(follower, period, choice, utc)

    def _lay(self, follower: _Follower, period: Period, choice: Choice | None, utc: Fraction) -> None:
        follower.layout.lay(period, choice, self._listing(period, utc))

    def _listing(self, period: Period, utc: Fraction) -> Callable[[Representation], Available]:
        presentation = self._presentation

        def listed(representation: Representation) -> Available:
            now = available_segments(presentation, period, representation, utc)
            if representation.pattern is None:
                return Available(min(now.first, len(representation.segments)), len(representation.segments))
            return Available(now.first, available_segments(presentation, period, representation, utc + AHEAD).stop)

        return listed

    def _settle(self, timeline: Timeline, update: TimelineUpdate) -> tuple[Timeline, TimelineUpdate]:
        """Make new holes that no other track plays over into gaps."""
        planned = [
            each.layout.planned(track)
            for each, track in zip(self._followers, timeline.tracks, strict=True)
            if each.kind is not TrackKind.TEXT
        ]
        settled = {each.track.key: each.track for each in settle_holes(planned)}
        changes: list[TrackUpdate] = []
        layouts = {each.layout.key: each.layout for each in self._followers}
        for change in update.tracks:
            track = settled.get(change.key)
            if track is not None and change.blanks:
                gaps = frozenset(change.blanks) & track.gaps
                layouts[change.key].as_gaps(gaps)
                change = replace(
                    change,
                    gaps=tuple(sorted({*change.gaps, *gaps})),
                    blanks=tuple(each for each in change.blanks if each not in gaps),
                )
            changes.append(change)
        update = replace(update, tracks=tuple(changes))
        return updated(self.plan.timeline, update), update

    # ------------------------------------------------------------------ what is played

    def activate(self, key: str, rung: int) -> None:
        """A rung of a track is being fetched: its playlist is the one to follow."""
        self._rungs[key] = rung

    def is_listed(self, key: str, index: int, rung: int) -> bool:
        """Whether the segment's address is known."""
        stretch = self._layout(key).planned_at(index, self.plan.timeline)
        return stretch.local(index, rung) is not None

    def in_the_making(self, key: str, index: int, rung: int) -> Segment | None:
        """The segment, when parts of it come and it is not listed yet."""
        return self._layout(key).planned_at(index, self.plan.timeline).in_the_making(index, rung)

    def representation(self, key: str, index: int, rung: int) -> Representation:
        return self._layout(key).planned_at(index, self.plan.timeline).choice.rungs[rung]

    def follow(self, keys: Iterable[str]) -> None:
        """From now on only the playlists of these tracks are read again (HLS); () for all."""
        self._keys = frozenset(keys)

    def followed(self) -> list[Representation]:
        """The representations whose playlists are to be read again: one rung of each track that is followed."""
        return [self._newest(each) for each in self._followers if self._is_followed(each)]

    def left_aside(self) -> list[Representation]:
        """The same of the tracks that are not followed."""
        return [self._newest(each) for each in self._followers if not self._is_followed(each)]

    def _is_followed(self, follower: _Follower) -> bool:
        return not self._keys or follower.layout.key in self._keys

    def _newest(self, follower: _Follower) -> Representation:
        rungs = follower.layout.newest_rungs()
        return rungs[min(self._rungs.get(follower.layout.key, 0), len(rungs) - 1)]

    def has_rung(self, key: str, item: Representation) -> bool:
        """Whether a representation is a rung of a track now."""
        layout = next((each.layout for each in self._followers if each.layout.key == key), None)
        return layout is not None and any(rung.id == item.id for rung in layout.newest_rungs())

    def siblings(self, item: Representation) -> tuple[Representation, ...]:
        """The rungs of the track that a representation is one of."""
        ladders = [each.layout.newest_rungs() for each in self._followers]
        return next((rungs for rungs in ladders if any(rung.id == item.id for rung in rungs)), (item,))

    def adopt(self, presentation: Presentation) -> None:
        """Look segments up in this version from now on; what it has beyond the timeline comes with the next update."""
        self._presentation = presentation
        periods = {period.id: period for period in presentation.periods}
        for follower in self._followers:
            follower.layout.renew(periods)
        self._renew_plan()

    def _renew_plan(self) -> None:
        timeline = self.plan.timeline
        self.plan = replace(
            self.plan,
            _tracks={
                each.layout.key: each.layout.planned(track)
                for each, track in zip(self._followers, timeline.tracks, strict=True)
            },
        )

    def _layout(self, key: str) -> LiveLayout:
        return next(each.layout for each in self._followers if each.layout.key == key)

    # ------------------------------------------------------------------ the edge

    def _edge(self, now: int, utc_offset_us: int, *, has_changed: bool) -> LiveEdge:
        presentation = self._presentation
        description = next(iter(presentation.service_descriptions), None)
        latency = description.latency if description is not None else None
        rates = description.playback_rate if description is not None else None
        is_dash, chunk_us = presentation.kind == "dash", self._chunk_us()
        early_us = dash_early_us(self._main_rungs()) if is_dash else 0
        late_us = MIN_REFRESH_US if chunk_us and not self.may_block else 0  # parts are heard of late
        longest_us = self._longest_us()
        floor_us = (chunk_us or longest_us - early_us) + SPARE_US + late_us
        has_rates = rates is not None and (rates.min is not None or rates.max is not None)
        return LiveEdge(
            edge_offset_us=self._dash_offset_us(utc_offset_us) if is_dash else self._listed_offset_us(now),
            target_latency_us=max(seconds_to_us(self._wanted_delay()), floor_us),
            min_latency_us=_ms(latency.min_ms) if latency is not None else None,
            max_latency_us=_ms(latency.max_ms) if latency is not None else None,
            min_rate=_rate(rates.min if rates is not None else None, 1.0) if has_rates else DEFAULT_RATES[0],
            max_rate=_rate(rates.max if rates is not None else None, 1.0) if has_rates else DEFAULT_RATES[1],
            refresh_us=dash_refresh_us(presentation, longest_us) if is_dash else self._hls_refresh_us(has_changed),
            depth_us=self._depth_us(now),
            early_us=early_us,
            follows_clock=is_dash,
            chunk_us=chunk_us,
        )

    def _wanted_delay(self) -> Fraction:
        start = self._presentation.start
        if start is not None and start.offset < 0:
            return -start.offset
        items = [item.playlist for item in self.followed() if item.playlist is not None]
        if any(item.part_target is not None for item in items) and not self._chunk_us():  # they cannot be played
            return max(item.server_control.hold_back or HOLD_BACK_TARGETS * item.target_duration for item in items)
        return presentation_delay(self._presentation)

    def _start_us(self, timeline: Timeline, now: int) -> int | None:
        """Where EXT-X-START puts the beginning when it counts from the head of the playlist."""
        start = self._presentation.start
        if start is None or start.offset < 0:
            return None
        first_us = max(track.start_us[0] for track in timeline.tracks if track.kind is not TrackKind.TEXT)
        return first_us + seconds_to_us(start.offset)

    def _dash_offset_us(self, utc_offset_us: int) -> int:
        began = self._presentation.live.availability_start or Fraction(0)
        return utc_offset_us - seconds_to_us(began + self._origin)

    def _listed_offset_us(self, now: int) -> int:
        """The best any version showed: the edge moves on by the clock between two segments."""
        offset_us = self._followers[0].layout.listed_us - now
        known_us = self._hls_offset_us
        jump_us = 4 * self._longest_us()
        if known_us is None or offset_us > known_us or known_us - offset_us > jump_us:
            self._hls_offset_us = known_us = offset_us
        return known_us

    def _chunk_us(self) -> int:
        """How long the chunks are in which segments are played; 0 where they are played whole."""
        if self._presentation.kind == "hls":
            return hls_part_us([self._newest(each) for each in self._main() if self._is_followed(each)])
        return dash_chunk_us(self._main_rungs(), self._longest_us())

    def _depth_us(self, now: int) -> int | None:
        live = self._presentation.live
        if self._presentation.kind == "dash":
            return None if live.time_shift_buffer_depth is None else seconds_to_us(live.time_shift_buffer_depth)
        if live.playlist_type:
            return None
        heads = [Fraction(item.segments[0].start, item.timescale) for item in self.followed() if item.segments]
        if not heads:
            return None
        return self._listed_offset_us(now) + now - seconds_to_us(max(heads) - self._origin)

    def _window_start_us(self, live: LiveEdge | None, now: int) -> int:
        if live is None or live.depth_us is None:
            return 0
        return now + live.edge_offset_us - live.depth_us

    def _hls_refresh_us(self, has_changed: bool) -> int:
        if self.may_block and all(
            item.playlist is not None and item.playlist.server_control.can_block_reload for item in self.followed()
        ):
            return BLOCKING_REFRESH_US
        delays = [reload_delay(item, has_changed=has_changed) for item in self.followed()]
        known = [delay for delay in delays if delay is not None]
        return max(MIN_REFRESH_US, seconds_to_us(min(known, default=Fraction(2))))

    def _longest_us(self) -> int:
        live = self._presentation.live
        longest = live.max_segment_duration or live.target_duration
        if longest:
            return seconds_to_us(longest)
        return max(each.layout.last_us() for each in self._main())

    def _has_ended(self, utc: Fraction) -> bool:
        presentation = self._presentation
        if not presentation.is_live:
            return True
        if presentation.kind == "hls":
            return all(item.playlist is not None and item.playlist.has_ended for item in self.followed())
        last, live = presentation.periods[-1], presentation.live
        if last.duration is None or live.minimum_update_period is not None:
            return False
        return utc >= (live.availability_start or 0) + last.start + last.duration

    def _main(self) -> Iterator[_Follower]:
        return (each for each in self._followers if each.kind is not TrackKind.TEXT)

    def _main_rungs(self) -> list[Representation]:
        return [item for each in self._main() for item in each.layout.newest_rungs()]

    def _end_us(self) -> int:
        return max(each.layout.end_us for each in self._main())


def _continued(follower: _Follower, chooser: Chooser, video: Line | None) -> Choice | None:
    """What a track plays in a new period: the video, or what is most like what it had."""
    if follower.kind is TrackKind.VIDEO:
        return video.choices[0] if video is not None else None
    lines = chooser.audio(video) if follower.kind is TrackKind.AUDIO else chooser.text()
    return continue_line(follower.line.lead, lines, exactly=follower.kind is TrackKind.TEXT)


def _ends_after(period: Period, origin: Fraction, time_us: int) -> bool:
    return period.duration is None or seconds_to_us(period.start + period.duration - origin) > time_us


def _ms(value: int | None) -> int | None:
    return None if value is None else value * 1000


def _rate(value: Fraction | None, default: float) -> float:
    return default if value is None else float(value)
