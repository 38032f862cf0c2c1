"""A track's decoder thread: a queue of work in, frames out to a bounded sink.

The thread starts with the first work and ends with `close`. A seek does not stop it: `prepare` raises the generation
number, and whatever belongs to an older one is thrown away where it stands.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from cushion_player.errors import DecodeError, MediaError, UnsupportedCodec
from cushion_player.media.decode import Frame, TrackDecoder
from cushion_player.timeline import TrackKind

log = logging.getLogger(__name__)

_FATAL_AFTER: Final = 3
"""So many segments in a row without one good frame, and there is no point in going on."""


@dataclass(frozen=True, slots=True)
class SwitchWork:
    rung: int
    init: bytes


@dataclass(frozen=True, slots=True)
class SegmentWork:
    rung: int
    start_us: int
    offset_us: int
    data: bytes


@dataclass(frozen=True, slots=True)
class EndWork:
    pass


Work = SwitchWork | SegmentWork | EndWork


class TrackListener(Protocol):
    """What a decoder thread tells; called on that thread."""

    def on_track_progress(self) -> None:
        """The track became ready, or ended."""
        ...

    def on_track_failed(self, kind: TrackKind, message: str, fatal: bool) -> None: ...


class StaleWork(Exception):
    """Raised inside the thread when a seek or the end overtook what it was doing; never leaves it."""


class DecodeThread(ABC):
    """One track. All public methods belong to the event-loop thread unless they say otherwise."""

    def __init__(self, kind: TrackKind, listener: TrackListener) -> None:
        self.kind = kind
        self._listener = listener
        self._decoder = TrackDecoder(kind)
        self._changed = threading.Condition()
        self._queue: deque[Work] = deque()
        self._generation = 0
        self._position_us = 0
        self._last_switch: SwitchWork | None = None
        self._is_closed = False
        self._is_busy = False
        self._is_ready = False
        self._has_ended = False
        self._thread: threading.Thread | None = None
        # The thread's own:
        self._rung = -1
        self._worked_for = 0
        self._barren = 0

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
            self._clear()
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
    def corrupt(self) -> int:
        return self._decoder.corrupt

    def is_settled(self) -> bool:
        """Whether the thread waits for something other than the processor."""
        with self._changed:
            return (not self._queue and not self._is_busy) or self._is_full()

    # ------------------------------------------------------------------ what a kind of track adds

    @abstractmethod
    def _clear(self) -> None:
        """Forget all output. Called with the lock held."""

    @abstractmethod
    def _is_full(self) -> bool:
        """Whether the sink takes no more for now. Called with the lock held."""

    @abstractmethod
    def _deliver(self, frame: Frame, rung: int, generation: int) -> None:
        """Hand a frame on, waiting while the sink is full. Called on the thread; StaleWork ends it early."""

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
                    self._worked_for, self._barren = generation, 0
                self._do(work, generation)
            except StaleWork:
                log.debug("dropped stale %s work", self.kind)
            except MediaError as error:
                self._listener.on_track_failed(self.kind, str(error), isinstance(error, UnsupportedCodec))
            except Exception as error:  # a thread has no caller who would see it
                log.exception("the %s decoder thread failed", self.kind)
                self._listener.on_track_failed(self.kind, f"the {self.kind} decoder failed: {error!r}", True)
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
            case SwitchWork(rung, init):
                try:
                    self._pass_on(self._decoder.switch(init), self._rung, generation)
                except DecodeError as error:
                    message = f"the initialisation segment of the {self.kind} track cannot be read: {error}"
                    self._listener.on_track_failed(self.kind, message, True)
                    return
                self._rung = rung
            case SegmentWork():
                self._barren = 0 if self._decode(work, generation) else self._barren + 1
                if self._barren >= _FATAL_AFTER:
                    message = f"{self._barren} {self.kind} segments in a row could not be decoded"
                    self._listener.on_track_failed(self.kind, message, True)
            case EndWork():
                self._pass_on(self._decoder.drain(), self._rung, generation)
                self._finish(generation)
                with self._changed:
                    self._check(generation)
                    self._has_ended = True
                self._listener.on_track_progress()

    def _decode(self, work: SegmentWork, generation: int) -> bool:
        """Whether the segment gave anything at all, or at least no damage.

        When nothing follows yet, playback is about to run dry (the sink is bounded), so the frames that the decoder
        holds back for reordering are let out too. The next segment then starts afresh, at its key frame.
        """
        corrupt_before = self._decoder.corrupt
        where = f"{self.kind} segment at {work.start_us / 1e6:.3f} s"
        try:
            good = self._pass_on(
                self._decoder.decode(work.data, work.offset_us, self._position_us), work.rung, generation
            )
            if not self._queue:
                good += self._pass_on(self._decoder.drain(), work.rung, generation)
        except DecodeError as error:
            self._listener.on_track_failed(self.kind, f"{where}: {error}", False)
            return False
        corrupt = self._decoder.corrupt - corrupt_before
        if corrupt:
            self._listener.on_track_failed(self.kind, f"{where}: {corrupt} damaged frames were left out", False)
        return good > 0 or not corrupt

    def _pass_on(self, frames: Iterable[Frame], rung: int, generation: int) -> int:
        count = 0
        for frame in frames:
            self._deliver(frame, rung, generation)
            count += 1
        return count
