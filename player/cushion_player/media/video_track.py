"""The video track: a decoder thread and the few decoded pictures that wait for their time."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

import av

from cushion_player.media.decode import Frame
from cushion_player.media.decode_thread import DecodeThread, TrackListener
from cushion_player.media.media_clock import MediaClock
from cushion_player.outputs import VideoFrame
from cushion_player.timeline import TrackKind

QUEUE_FRAMES: Final = 10
"""A third of a second at 30 fps; ten frames of 1080p are 31 MB."""
LATE_US: Final = 50_000
"""A decoder this far behind the clock has fallen behind; less is a busy moment."""
REFILL_FRAMES: Final = 4
"""A full queue is filled again from here: decoding several at one go costs an eighth less."""


class VideoTrack(DecodeThread):
    """Decodes ahead and is the renderer's FrameSource."""

    def __init__(self, listener: TrackListener, clock: MediaClock, devices: Sequence[str] = ()) -> None:
        super().__init__(TrackKind.VIDEO, listener, devices)
        self._clock = clock
        self._frames: deque[VideoFrame] = deque()
        self._decoded_to_us = 0
        self._is_waiting = False
        self.shown = 0
        self.dropped = 0
        self.skipped = 0
        self._stepped: VideoFrame | None = None
        self._is_late = False
        self._looked_us: int | None = None
        """The position at the last look for a frame; good for one question after it."""
        self.last_shown: VideoFrame | None = None

    # ------------------------------------------------------------------ FrameSource, on the renderer's thread

    def take_due(self) -> VideoFrame | None:
        with self._changed:
            due, self._stepped = self._stepped, None
            if due is not None:
                self._note_shown(due)
                return due
            position_us = self._looked_us = self._clock.position_us()
            while self._frames and self._frames[0].time_us <= position_us:
                if due is not None:
                    self.dropped += 1
                due = self._frames.popleft()
            if due is not None:
                self._note_shown(due)
        return due

    def _note_shown(self, frame: VideoFrame) -> None:
        self.shown += 1
        self.last_shown = frame
        if len(self._frames) <= REFILL_FRAMES:
            self._changed.notify_all()

    def next_due_in_us(self) -> int | None:
        if not self._clock.is_running:
            return None
        with self._changed:
            if not self._frames:
                return None
            time_us = self._frames[0].time_us
            position_us, self._looked_us = self._looked_us, None
        if position_us is None:
            position_us = self._clock.position_us()
        return max(0, int((time_us - position_us) / self._clock.rate))

    # ------------------------------------------------------------------ the loop's side

    def step(self, frames: int) -> VideoFrame | None:
        """The frame so many after the last one, to be shown at the renderer's next look; None when it is not there."""
        with self._changed:
            if len(self._frames) < frames:
                return None
            for _ in range(frames):
                self._stepped = self._frames.popleft()
            self._changed.notify_all()
            return self._stepped

    def is_starved(self, position_us: int) -> bool:
        """Whether everything fed has been decoded and its time has passed, and there should be more."""
        with self._changed:
            if self._queue or self._is_busy or self._has_ended or self._frames:
                return False
            return position_us >= self._decoded_to_us

    def queued_bytes(self) -> int:
        """Taken from the newest frame: asked for many times a second, and sizes only differ around a switch."""
        with self._changed:
            count, newest = len(self._frames), self._frames[-1].native if self._frames else None
        return count * sum(plane.buffer_size for plane in newest.planes) if isinstance(newest, av.VideoFrame) else 0

    # ------------------------------------------------------------------ the thread's side

    def _clear(self) -> None:
        self._frames.clear()
        self._stepped = None
        self._is_late = False
        self._is_waiting = False
        self._decoded_to_us = self._position_us

    def _is_full(self) -> bool:
        return self._is_waiting and len(self._frames) > REFILL_FRAMES

    def _deliver(self, frame: Frame, rung: int, generation: int) -> None:
        assert isinstance(frame, av.VideoFrame)
        assert frame.pts is not None
        end_us = frame.pts + max(frame.duration, 1)
        if end_us <= self._position_us:
            return
        self._keep_up(frame.pts, max(frame.duration, 1))
        look = self._decoder.look_of(frame)
        picture = VideoFrame(frame.pts, frame.duration, frame.width, frame.height, rung, frame, look)
        with self._changed:
            self._check(generation)
            self._is_waiting = len(self._frames) >= QUEUE_FRAMES
            while self._is_full():
                self._wait(generation)
            self._is_waiting = False
            self._frames.append(picture)
            self._decoded_to_us = max(self._decoded_to_us, end_us)
        self._become_ready(generation)

    def _keep_up(self, time_us: int, duration_us: int) -> None:
        """Where the clock is ahead of the decoder, let it leave out frames that no other frame needs."""
        if self._is_late and self._decoded_to_us > self._position_us:
            self.skipped += max(0, round((time_us - self._decoded_to_us) / duration_us))
        if self._frames and not self._is_late:
            return
        position_us = self._clock.position_us() if self._clock.is_running else time_us
        self._is_late = position_us - time_us > LATE_US
        self._decoder.late_until_us = position_us if self._is_late else 0

    def _blank(self, end_us: int, generation: int) -> None:
        """The picture before stays."""
        if end_us <= self._position_us:
            return
        with self._changed:
            self._check(generation)
            self._decoded_to_us = max(self._decoded_to_us, end_us)
        self._become_ready(generation)

    def _finish(self, generation: int) -> None:
        """Nothing is held back here."""
