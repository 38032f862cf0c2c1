"""Another track in the middle of playback: the new one is fetched beside the old one, and takes over without a stop."""

from __future__ import annotations

from collections.abc import Callable

from cushion_player.effects import CutTrack
from cushion_player.engine.config import FetchFailure, TrackSelection
from cushion_player.engine.lineup import Lineup
from cushion_player.engine.track import TrackState, discarded
from cushion_player.notices import TrackSwitched
from cushion_player.timeline import Timeline, Track, TrackKind

LEAD_US = 1_000_000
"""How far ahead of the position a new track is fetched from: what is nearer is decoded already."""
LISTING_PATIENCE_US = 15_000_000
"""A live track of which nothing is listed where playback is, after so long, is not switched to."""
MARGIN_US = 300_000
"""How far ahead of the position the new track takes over at least: about what outputs have decoded ahead."""


def choose_tracks(timeline: Timeline, selection: TrackSelection) -> list[Track]:
    """Video first (the main track), then audio, then text if any is wanted; audio alone when there is no video."""
    video = timeline.first(TrackKind.VIDEO)
    tracks = [video, wanted_audio(timeline, selection), wanted_text(timeline, selection)]
    chosen = [track for track in tracks if track is not None]
    assert chosen, "a timeline has video or audio"
    return chosen


def wanted_audio(timeline: Timeline, selection: TrackSelection) -> Track | None:
    """The selected audio, or the preferred one; None when there is none."""
    found = timeline.find(selection.audio)
    return found if found is not None and found.kind is TrackKind.AUDIO else timeline.first(TrackKind.AUDIO)


def wanted_text(timeline: Timeline, selection: TrackSelection) -> Track | None:
    found = timeline.find(selection.text)
    return found if found is not None and found.kind is TrackKind.TEXT else None


class Switching:
    """The one change of audio that may be under way. Works on the engine's own tracks."""

    def __init__(self, lineup: Lineup, emit: Callable[..., None], abandon: Callable[[TrackState, str], None]):
        self._lineup = lineup
        self._tracks = lineup.tracks
        self._emit = emit
        self._abandon = abandon
        self._pending: TrackState | None = None
        self._unlisted_since_us: int | None = None

    def select(self, timeline: Timeline, selection: TrackSelection, position_us: int, *, beside: bool) -> bool:
        """Play other audio, show other text. Returns whether the output must begin anew for it.

        beside: fetch other audio beside what plays.
        """
        may_grow = timeline.is_live
        self.set_text(wanted_text(timeline, selection), position_us, may_grow=may_grow)
        track = wanted_audio(timeline, selection)
        old = next((each for each in self._tracks if each.kind is TrackKind.AUDIO and not each.is_held_back), None)
        if track is None or old is None or (self._pending is not None and self._pending.track.key == track.key):
            return False
        if track.key == old.track.key:
            self.give_up()
        elif beside:
            self.begin(track, position_us, may_grow=may_grow)
        else:
            self.replace(old, track, may_grow=may_grow)
            self._emit(TrackSwitched(TrackKind.AUDIO, track.key, position_us))
            return True
        return False

    @property
    def pending(self) -> TrackState | None:
        """The track that is to take over."""
        return self._pending

    def begin(self, track: Track, position_us: int, *, may_grow: bool) -> None:
        """Fetch `track` beside the one that plays."""
        self.give_up()
        state = TrackState(track, is_required=False, may_grow=may_grow)
        state.is_held_back = True
        state.reposition(position_us + LEAD_US)
        state.skip_absent()
        self._pending = state
        self._tracks.append(state)

    def give_up(self) -> None:
        """Forget a change that is under way."""
        if self._pending is not None:
            self._remove(self._pending, "another track was selected")
            self._pending = None

    def advance(self, position_us: int, now: int) -> None:
        """Let the new track take over once it can; aim further ahead when the position has come too near."""
        state = self._pending
        if state is None or state.unlisted_us is None:
            self._unlisted_since_us = None
        elif self._unlisted_since_us is None:
            self._unlisted_since_us = now
        elif now - self._unlisted_since_us >= LISTING_PATIENCE_US:
            state.failure = FetchFailure("not_listed", "it is not listed up to where playback is", retryable=False)
        if state is None:
            return
        if state.failure is not None:
            self._pending = None  # the engine drops it, and says so
            return
        from_us = position_us + MARGIN_US
        first = state.buffer.covering(from_us)
        if first is not None and state.can_be_fed(first):
            self._take_over(state, max(from_us, first.start_us))
        elif first is None and len(state.buffer):
            missed = state.in_flight
            self._emit(*state.reposition(position_us + LEAD_US))
            if missed is not None and missed.index != state.next_index:
                self._abandon(state, "the position has passed it")
            state.skip_absent()

    def _take_over(self, state: TrackState, from_us: int) -> None:
        old = next(each for each in self._tracks if each.kind is state.kind and each is not state)
        self._pending = None
        self._release(old)
        self._tracks.remove(state)
        self._lineup.put(state, old)
        state.is_held_back, state.is_required = False, True
        self._emit(CutTrack(state.kind, from_us), TrackSwitched(state.kind, state.track.key, from_us))
        self._emit(*state.feed_from(from_us))

    def replace(self, old: TrackState, track: Track, *, may_grow: bool) -> None:
        """Put `track` in the place of another at once; the caller repositions."""
        self.give_up()
        self._release(old)
        self._lineup.put(TrackState(track, may_grow=may_grow), old)

    def _remove(self, state: TrackState, reason: str) -> None:
        self._release(state, reason)
        self._lineup.remove(state)

    def _release(self, state: TrackState, reason: str = "another track was selected") -> None:
        """Give up what it requested and what it holds."""
        self._abandon(state, reason)
        self._emit(*state.drop_kept(), *discarded(state.buffer.clear()))

    def set_text(self, track: Track | None, position_us: int, *, may_grow: bool) -> None:
        """Show `track`, or no text; nothing waits for it."""
        old = next((each for each in self._tracks if each.kind is TrackKind.TEXT), None)
        if old is not None:
            if track is not None and old.track.key == track.key:
                return
            self._remove(old, "another text was selected")
            self._emit(CutTrack(TrackKind.TEXT, position_us))
        if track is not None:
            state = TrackState(track, is_required=False, may_grow=may_grow)
            self._emit(*state.reposition(position_us))
            state.skip_absent()
            self._tracks.append(state)
        if track is not None or old is not None:
            self._emit(TrackSwitched(TrackKind.TEXT, track.key if track is not None else "", position_us))
