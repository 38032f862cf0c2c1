"""Key frames as a track of their own, which takes the main track's place while the viewer scrubs."""

from __future__ import annotations

from collections.abc import Callable

from cushion_player.engine.lineup import Lineup
from cushion_player.engine.track import TrackState, discarded
from cushion_player.timeline import Track


class TrickPlay:
    """Puts the track of key frames at the head of the lineup, and takes it away again."""

    def __init__(self, lineup: Lineup, emit: Callable[..., None]) -> None:
        self._lineup = lineup
        self._emit: Callable[..., None] = emit
        self._track: Track | None = None
        self._state: TrackState | None = None

    def offer(self, track: Track) -> None:
        """There is such a track."""
        self._track = track

    def enter(self) -> None:
        """Take the main track's place, if there are key frames. Playback never waits for them."""
        if self._track is not None and self._state is None:
            for state in self._lineup.tracks:
                self._emit(*state.abandon("key frames come first"))
            self._state = TrackState(self._track, is_required=False)
            self._lineup.tracks.insert(0, self._state)

    def leave(self) -> None:
        """Give the place back."""
        state, self._state = self._state, None
        if state is not None and state in self._lineup.tracks:
            self._emit(*state.abandon("scrubbing has ended"), *state.drop_kept(), *discarded(state.buffer.clear()))
            self._lineup.remove(state)

    def was_dropped(self, state: TrackState) -> bool:
        """Whether the track that could not be had was this one: it is not tried again."""
        if state is not self._state:
            return False
        self._state = self._track = None
        self._emit(*state.drop_kept(), *discarded(state.buffer.clear()))
        return True
