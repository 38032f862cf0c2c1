"""A track's decoder thread: a queue of work in, frames out to a bounded sink.

The thread starts with the first work and ends with `close`. A seek does not stop it: `prepare` raises the generation
number, and whatever belongs to an older one is thrown away where it stands.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from cushion_player.errors import DecodeError, KeyUnavailable, MediaError, NoSuchTrack, UnsupportedCodec
from cushion_player.media.decode import Frame, TrackDecoder
from cushion_player.outputs import DecodeFailure, DecodeFault, MediaFormat, MediaSegment
from cushion_player.timeline import TrackKind

if TYPE_CHECKING:
    from cushion_player.media.caption_tap import CaptionTap

log = logging.getLogger(__name__)

_FATAL_AFTER: Final = 3
"""So many segments in a row without one good frame, and there is no point in going on."""


@dataclass(frozen=True, slots=True)
class SwitchWork:
    format: MediaFormat


@dataclass(frozen=True, slots=True)
class SegmentWork:
    """until_us: where a later cut ends it on the timeline."""

    segment: MediaSegment
    offset_us: int
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class EndWork:
    pass


@dataclass(frozen=True, slots=True)
class CutWork:
    """What follows does not continue what went before."""


Work = SwitchWork | SegmentWork | EndWork | CutWork


class TrackListener(Protocol):
    """What a decoder thread tells; called on that thread."""

    def on_track_progress(self) -> None:
        """The track became ready, or ended."""
        ...

    def on_track_failed(self, failure: DecodeFailure) -> None: ...

    def on_track_absent(self, failure: DecodeFailure) -> None:
        """The media carries nothing of the track; playback goes on without it if there is another."""
        ...

    def on_track_metadata(self, time_us: int, data: bytes) -> None:
        """Metadata beside the media (an ID3 tag), and its time on the timeline."""
        ...


class StaleWork(Exception):
    """Raised inside the thread when a seek or the end overtook what it was doing; never leaves it."""


class DecodeThread(ABC):
    """One track. All public methods belong to the event-loop thread unless they say otherwise."""

    def __init__(self, kind: TrackKind, listener: TrackListener, devices: Sequence[str] = ()) -> None:
        self.kind = kind
        self._listener = listener
        self._decoder = TrackDecoder(kind, devices)
        self._decoder.on_metadata = lambda item: listener.on_track_metadata(item.time_us, item.data)
        self._changed = threading.Condition()
        self._queue: deque[Work] = deque()
        self._generation = 0
        self._position_us = 0
        self._last_switch: SwitchWork | None = None
        self._is_closed = False
        self._is_busy = False
        self._is_ready = False
        self._has_ended = False
        self._until_us: int | None = None
        self._thread: threading.Thread | None = None
        # The thread's own:
        self._rung = -1
        self._place = ("", 0)
        self._is_usable = True
        self._is_shared = False
        self._is_absent = False
        self._n_coded = 0
        self._worked_for = 0
        self._barren = 0
        self._last_us: int | None = None

    # ------------------------------------------------------------------ the loop's side

    def prepare(self, position_us: int) -> None:
        """Throw everything queued away; what comes next is shown from `position_us` on."""
        with self._changed:
            self._generation += 1
            self._position_us = position_us
            self._queue.clear()
            if self._last_switch is not None:
                self._queue.append(self._last_switch)
            self._is_ready = self._has_ended = False
            self._until_us = None
            self._clear()
            self._changed.notify_all()

    def cut(self, from_us: int) -> None:
        """Forget queued work from `from_us` on and the end; what is being decoded ends there."""
        with self._changed:
            kept = [_cut(work, from_us) for work in self._queue if _is_kept(work, from_us)]
            while kept and isinstance(kept[-1], SwitchWork | CutWork):
                kept.pop()
            self._queue = deque([*kept, CutWork()])
            self._until_us = from_us if self._until_us is None else min(self._until_us, from_us)
            self._has_ended = False
            self._changed.notify_all()

    def submit(self, work: Work) -> None:
        with self._changed:
            if isinstance(work, SwitchWork):
                self._last_switch = work
            self._queue.append(work)
            self._changed.notify_all()
        if self._thread is None and not self._is_closed:
            self._thread = threading.Thread(target=self._run, name=f"cushion-decode-{self.kind}", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Tell the thread to end; `join` waits for it."""
        with self._changed:
            self._is_closed = True
            self._generation += 1
            self._queue.clear()
            self._clear()
            self._changed.notify_all()

    @property
    def thread(self) -> threading.Thread | None:
        return self._thread

    @property
    def is_ready(self) -> bool:
        """Whether the first output at the prepared position is there, or will never come."""
        return self._is_ready or self._has_ended

    @property
    def has_ended(self) -> bool:
        """Whether everything up to the end of the track is decoded."""
        return self._has_ended

    @property
    def is_absent(self) -> bool:
        """Whether the media fed last carries nothing of the track."""
        return self._is_absent

    @property
    def corrupt(self) -> int:
        return self._decoder.corrupt

    def tap_captions(self, tap: CaptionTap | None) -> None:
        """Give coded pictures to it on their way, from the next segment on."""
        self._decoder.captions = tap

    def is_settled(self) -> bool:
        """Whether the thread waits for something other than the processor."""
        with self._changed:
            return (not self._queue and not self._is_busy) or self._is_full()

    # ------------------------------------------------------------------ what a kind of track adds

    @abstractmethod
    def queued_bytes(self) -> int:
        """What decoded output that has not been shown or heard holds. Any thread may ask."""

    @abstractmethod
    def _clear(self) -> None:
        """Forget all output. Called with the lock held."""

    @abstractmethod
    def _is_full(self) -> bool:
        """Whether the sink takes no more for now. Called with the lock held."""

    @abstractmethod
    def _deliver(self, frame: Frame, rung: int, generation: int) -> None:
        """Hand a frame on, waiting while the sink is full. Called on the thread; StaleWork ends it early."""

    def _pass_gathered(self, generation: int) -> None:  # noqa: B027 (most have nothing to do)
        """Hand on what `_deliver` kept back: nothing follows for now. Called on the thread."""

    def _part(self) -> None:  # noqa: B027 (most have nothing to do)
        """What is delivered next need not continue what went before. Called on the thread."""

    @abstractmethod
    def _blank(self, end_us: int, generation: int) -> None:
        """There is nothing of the track up to `end_us`. Called on the thread."""

    @abstractmethod
    def _finish(self, generation: int) -> None:
        """The track has ended: hand on what is left. Called on the thread."""

    # ------------------------------------------------------------------ the thread's side

    def _wait(self, generation: int, timeout_s: float | None = None) -> None:
        """Wait for a change, with the lock held."""
        self._check(generation)
        self._changed.wait(timeout_s)
        self._check(generation)

    def _check(self, generation: int) -> None:
        if generation != self._generation:
            raise StaleWork

    def _become_ready(self, generation: int) -> None:
        with self._changed:
            self._check(generation)
            if self._is_ready:
                return
            self._is_ready = True
        self._listener.on_track_progress()

    def _run(self) -> None:
        while (taken := self._take()) is not None:
            work, generation = taken
            try:
                if generation != self._worked_for:
                    self._decoder.reset()
                    self._worked_for, self._barren, self._last_us = generation, 0, None
                self._do(work, generation)
            except StaleWork:
                log.debug("dropped stale %s work", self.kind)
            except MediaError as error:
                self._tell(DecodeFault.DECODE, str(error))
            except Exception as error:  # a thread has no caller who would see it
                log.exception("the %s decoder thread failed", self.kind)
                self._tell(DecodeFault.DECODE, f"the {self.kind} decoder failed: {error!r}", is_fatal=True)
            finally:
                with self._changed:
                    self._is_busy = False

    def _take(self) -> tuple[Work, int] | None:
        """The next work and its generation; None at the end."""
        with self._changed:
            while not self._queue and not self._is_closed:
                self._changed.wait()
            if self._is_closed:
                return None
            self._is_busy = True
            return self._queue.popleft(), self._generation

    def _do(self, work: Work, generation: int) -> None:
        match work:
            case SwitchWork(media_format):
                self._switch(media_format, generation)
            case SegmentWork():
                with self._changed:
                    self._until_us = work.until_us
                if not self._is_usable:
                    if self._is_absent:
                        self._blank(work.segment.end_us, generation)
                    return
                self._barren = 0 if self._decode(work, generation) else self._barren + 1
                if self._barren >= _FATAL_AFTER:
                    message = f"{self._barren} {self.kind} segments in a row could not be decoded"
                    self._tell(DecodeFault.DECODE, message, is_fatal=True)
            case CutWork():
                self._pass_on(self._decoder.drain(), generation)
                self._decoder.reset()
                self._part()
            case EndWork():
                self._pass_on(self._decoder.drain(), generation)
                self._finish(generation)
                with self._changed:
                    self._check(generation)
                    self._has_ended = True
                self._listener.on_track_progress()

    def _switch(self, media_format: MediaFormat, generation: int) -> None:
        if self._is_usable and self._decoder.is_set_to(media_format):
            return
        self._pass_on(self._decoder.drain(), generation)
        self._part()
        self._rung, self._is_usable, self._is_absent = media_format.rung, False, False
        self._is_shared = media_format.is_shared
        self._place = media_format.key, media_format.index
        try:
            self._decoder.switch(media_format)
        except UnsupportedCodec as error:
            self._tell_unsupported(error, str(error))
        except DecodeError as error:
            message = f"the initialisation segment of the {self.kind} track cannot be read: {error}"
            self._tell(DecodeFault.INIT, message)
        else:
            self._is_usable = True

    def _tell(self, code: DecodeFault, message: str, *, is_fatal: bool = False) -> None:
        self._listener.on_track_failed(DecodeFailure(self.kind, code, message, self._rung, is_fatal, *self._place))

    def _tell_unsupported(self, error: UnsupportedCodec, message: str) -> None:
        failure = DecodeFailure(self.kind, DecodeFault.CODEC, message, self._rung, False, *self._place)
        if self._is_shared and isinstance(error, NoSuchTrack):
            self._is_absent = True
            self._listener.on_track_absent(failure)
        else:
            self._listener.on_track_failed(failure)

    def _decode(self, work: SegmentWork, generation: int) -> bool:
        """Whether the segment gave anything at all, or at least no damage.

        When nothing follows a whole segment yet, playback is about to run dry (the sink is bounded), so the frames that
        the decoder holds back for reordering are let out too. The next segment then starts afresh, at its key frame.
        """
        segment = work.segment
        corrupt_before = self._decoder.corrupt
        where = f"{self.kind} segment at {segment.start_us / 1e6:.3f} s"
        try:
            span_us = segment.end_us - segment.start_us
            frames = self._decoder.decode(segment.data, segment.start_us, work.offset_us, self._position_us, span_us)
            good = self._pass_on(frames, generation)
            if segment.is_last_chunk and not self._queue:
                good += self._pass_on(self._decoder.drain(), generation)
        except UnsupportedCodec as error:
            self._is_usable = self._is_shared and isinstance(error, NoSuchTrack)  # the next segment may have it again
            self._tell_unsupported(error, f"{where}: {error}")
            if self._is_absent:
                self._blank(segment.end_us, generation)
            return True
        except KeyUnavailable as error:
            self._tell(DecodeFault.KEY, f"{where}: {error}")
            return False
        except DecodeError as error:
            self._tell(DecodeFault.DECODE, f"{where}: {error}")
            return False
        self._is_absent = False
        self._n_coded += self._decoder.n_coded
        if segment.is_last_chunk:
            if not self._n_coded and not self._decoder.damage:
                self._blank(segment.end_us, generation)
            self._n_coded = 0
        if self._decoder.damage:
            self._tell(DecodeFault.DECODE, f"{where}: {self._decoder.damage}")
        corrupt = self._decoder.corrupt - corrupt_before
        if corrupt:
            self._tell(DecodeFault.DECODE, f"{where}: {corrupt} damaged frames were left out")
        return good > 0 or not (corrupt or self._decoder.damage)

    def _pass_on(self, frames: Iterable[Frame], generation: int) -> int:
        """Hand frames on, but none after a cut, nor pictures that were handed on before it; returns how many came."""
        count = 0
        for frame in frames:
            count += 1
            assert frame.pts is not None
            until_us = self._until_us
            if until_us is not None and frame.pts >= until_us:
                continue
            if self.kind is TrackKind.VIDEO:
                if self._last_us is not None and frame.pts <= self._last_us:
                    continue
                self._last_us = frame.pts
            self._deliver(frame, self._rung, generation)
        self._pass_gathered(generation)
        return count


def _is_kept(work: Work, from_us: int) -> bool:
    return not isinstance(work, EndWork) and not (isinstance(work, SegmentWork) and work.segment.start_us >= from_us)


def _cut(work: Work, from_us: int) -> Work:
    if not isinstance(work, SegmentWork):
        return work
    return replace(work, until_us=from_us if work.until_us is None else min(work.until_us, from_us))
