"""The tracks of one playback, and which of them count at the moment."""

from __future__ import annotations

from cushion_player.engine.track import TrackState
from cushion_player.timeline import TrackKind


class Lineup:
    """The tracks of one playback: first the main one, whose rungs the rule chooses. Empty before the start."""

    def __init__(self) -> None:
        self.tracks: list[TrackState] = []
        self.is_scrubbing = False
        """Only the main track counts, and only pictures of it are wanted."""
        self._wasted_before = 0

    @property
    def main(self) -> TrackState:
        return self.tracks[0]

    @property
    def wasted_bytes(self) -> int:
        """Of all tracks, also of those that are played no more."""
        return self._wasted_before + sum(track.wasted_bytes for track in self.tracks)

    def remove(self, track: TrackState) -> None:
        self.tracks.remove(track)
        self._wasted_before += track.wasted_bytes

    def put(self, track: TrackState, old: TrackState) -> None:
        """Put a track in the place of another."""
        self.tracks[self.tracks.index(old)] = track
        self._wasted_before += old.wasted_bytes

    def active(self) -> list[TrackState]:
        """The tracks that are fetched for the output."""
        return self.tracks[:1] if self.is_scrubbing else self.tracks

    def required(self) -> list[TrackState]:
        """The tracks that playback waits for."""
        return [track for track in self.active() if track.is_required]

    def playing(self, kind: TrackKind) -> TrackState | None:
        """The track of a kind that is fed to the output."""
        return next((track for track in self.tracks if track.kind is kind and not track.is_held_back), None)

    def asked(self, request_id: int) -> TrackState | None:
        """The track for which a segment was requested."""
        for track in self.tracks:
            if track.in_flight is not None and track.in_flight.request_id == request_id:
                return track
        return None
