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
        self.last_shown: VideoFrame | None = None

    # ------------------------------------------------------------------ FrameSource, on the renderer's thread

    def take_due(self) -> VideoFrame | None:
        due: VideoFrame | None = None
        with self._changed:
            position_us = self._clock.position_us()
            while self._frames and self._frames[0].time_us <= position_us:
                if due is not None:
                    self.dropped += 1
                due = self._frames.popleft()
            if due is None:
                return None
            self.shown += 1
            self.last_shown = due
            if len(self._frames) <= REFILL_FRAMES:
                self._changed.notify_all()
        return due

    def next_due_in_us(self) -> int | None:
        if not self._clock.is_running:
            return None
        with self._changed:
            if not self._frames:
                return None
            time_us = self._frames[0].time_us
        return max(0, int((time_us - self._clock.position_us()) / self._clock.rate))

    # ------------------------------------------------------------------ the loop's side

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
        picture = VideoFrame(frame.pts, frame.duration, frame.width, frame.height, rung, frame)
        with self._changed:
            self._check(generation)
            self._is_waiting = len(self._frames) >= QUEUE_FRAMES
            while self._is_full():
                self._wait(generation)
            self._is_waiting = False
            self._frames.append(picture)
            self._decoded_to_us = max(self._decoded_to_us, end_us)
        self._become_ready(generation)

    def _finish(self, generation: int) -> None:
        """Nothing is held back here."""
