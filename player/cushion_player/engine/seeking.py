"""Where the viewer wants to be: seeks, steps of a picture, scrubbing, the way back to the live edge."""

from __future__ import annotations

from collections.abc import Callable

from cushion_abr.contract import SAMPLE_SEEK, Sample
from cushion_player.engine.lineup import Lineup
from cushion_player.engine.playback import Playback
from cushion_player.engine.playhead import Playhead
from cushion_player.engine.trick import TrickPlay
from cushion_player.engine.waits import Waits
from cushion_player.notices import SeekStarted
from cushion_player.timeline import Track

UNKNOWN_FRAME_US = 40_000
"""How far a step goes when the manifest does not say how long frames are: 25 a second."""


class Seeking:
    """Turns the wish of a viewer into a position that can be played, and goes there."""

    def __init__(
        self,
        lineup: Lineup,
        playhead: Playhead,
        waits: Waits,
        playback: Playback,
        trick: TrickPlay,
        observe: Callable[[Sample], None],
        emit: Callable[..., None],
    ) -> None:
        """observe: hears of every seek."""
        self._lineup = lineup
        self._playhead = playhead
        self._waits = waits
        self._playback = playback
        self._trick = trick
        self._observe: Callable[[Sample], None] = observe
        self._emit: Callable[..., None] = emit
        self._scrub_target_us = 0
        self._has_scrubbed = False

    def target_us(self, position_us: int | None, now: int) -> int:
        """The nearest position that can be played; None is where to join. Live, the viewer's own place is kept."""
        following = self._playback.following
        if following is None:
            return min(max(0, position_us or 0), self._playback.duration_us)
        return following.target_us(position_us, now)

    def seek(self, position_us: int | None, now: int) -> None:
        """None is where a live presentation is joined."""
        target = self.target_us(position_us, now)
        if self._lineup.is_scrubbing:
            self._scrub(target, now)
            return
        self._emit(SeekStarted(self._playhead.position_us(now), target))
        self._leave(now)
        self._playback.reposition(target, now)

    def step(self, frames: int, now: int) -> None:
        """Show the picture `frames` further on."""
        main = self._lineup.main
        frame_us = (main.playing.frame_us if main.playing is not None else 0) or UNKNOWN_FRAME_US
        position = self._playhead.position_us(now)
        middle = position // frame_us * frame_us + frame_us // 2  # whatever rounding did to the frame's own time
        self.seek(max(0, middle + frames * frame_us), now)

    def set_scrubbing(self, is_on: bool, now: int) -> None:
        """When it ends, playback goes to the last position asked for."""
        if is_on:
            self._scrub_target_us = self._playhead.position_us(now)
            self._emit(SeekStarted(self._scrub_target_us, self._scrub_target_us))
            self._leave(now)
            self._has_scrubbed = False
        else:
            self._trick.leave()
        self._lineup.is_scrubbing = is_on
        if not is_on:
            self._playback.reposition(self._scrub_target_us, now)

    def list_key_frames(self, track: Track, now: int) -> None:
        """Scrub by this track from now on."""
        self._trick.offer(track)
        if self._lineup.is_scrubbing and self._has_scrubbed:
            self._scrub(self._scrub_target_us, now)

    def scrub_on(self, now: int) -> None:
        """The track of key frames could not be had: the main track's own serve."""
        self._scrub(self._scrub_target_us, now)

    def _scrub(self, target: int, now: int) -> None:
        """Show the first picture of the segment at `target`; what was on its way to another one is given up."""
        self._scrub_target_us = target
        self._has_scrubbed = True
        self._trick.enter()
        track = self._lineup.main.track
        start_us = track.segment_start_us(track.segment_at(target))
        self._playback.reposition(max(0, start_us + 1), now)  # at the very start, the segment before would do too

    def _leave(self, now: int) -> None:
        self._playback.stop_clock(now)
        self._playback.end_stall("the viewer went elsewhere", now)
        self._waits.seek(now)
        self._observe(Sample(SAMPLE_SEEK, 0, 0, 0, 0, now))
