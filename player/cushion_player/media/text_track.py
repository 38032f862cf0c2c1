"""The text track: cues of fed segments, of captions and of a file beside them, shown when their time comes.

Everything here lives on the event loop but for the reading of segments, which may take a while and happens on a
thread of the loop's; readers are imported when there is something to read. Text holds nothing up: no output waits for
it to be ready, and none starves for want of it.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right, insort
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from cushion_player.clock import Clock
from cushion_player.errors import DecodeError, MediaError, UnsupportedCodec
from cushion_player.media.media_clock import MediaClock
from cushion_player.model import Container
from cushion_player.outputs import DecodeFailure, DecodeFault, MediaFormat, MediaSegment, TextRenderer
from cushion_player.text.cue import NEVER_US, Cue, CueList, Screen, clipped
from cushion_player.timeline import TrackKind

if TYPE_CHECKING:
    from cushion_player.media.caption_tap import CaptionTap
    from cushion_player.text.mp4 import TextInit
    from cushion_player.text.segments import TextPiece

_LOOK_US: Final = 100_000
"""How often the media clock is looked at: it may run a little faster or slower than ours."""
_KEPT_US: Final = 10_000_000
"""Cues that ended longer ago are let go; a jump back brings them again."""
_MAX_WAITING: Final = 200
"""Segments that wait to learn where their media time lies."""


class _Work(NamedTuple):
    segment: MediaSegment
    format: MediaFormat
    init: TextInit | None
    n_cuts: int
    """How many cuts there were before it: later ones concern it."""


class TextTrack:
    """Tells a TextRenderer what to show. All methods belong to the event-loop thread.

    known_offset_us: what is known of where a discontinuity's media time lies (media time less timeline time).
    tell: called with what went wrong. Without a renderer nothing is read.
    """

    def __init__(
        self,
        renderer: TextRenderer | None,
        clock: Clock,
        media_clock: MediaClock,
        known_offset_us: Callable[[int], int | None],
        tell: Callable[[DecodeFailure], None],
    ) -> None:
        self._renderer = renderer
        self._clock = clock
        self._media_clock = media_clock
        self._known_offset_us = known_offset_us
        self._tell = tell
        self._shows_only_forced = False
        self._format: MediaFormat | None = None
        self._init: TextInit | None = None
        self._queue: deque[_Work] = deque()
        self._cuts: list[int] = []
        self._waiting: list[tuple[_Work, TextPiece]] = []
        self._fed = CueList()
        self._beside = CueList()
        self._screens: list[Screen] = []
        self._tap: CaptionTap | None = None
        self._generation = 0
        self._shown: tuple[Cue, ...] = ()
        self._reader: asyncio.Task[None] | None = None
        self._follower: asyncio.Task[None] | None = None
        self._is_closed = False

    # ------------------------------------------------------------------ as MediaOutput has it

    def prepare(self) -> None:
        """Forget what was fed, captions too; what comes next is fed anew. `refresh` once the media clock is there."""
        self._generation += 1
        self._queue.clear()
        self._waiting.clear()
        self._cuts.clear()
        self._fed.clear()
        self._screens.clear()
        if self._tap is not None:
            self._tap.generation = self._generation

    def switch_format(self, media_format: MediaFormat) -> None:
        if self._renderer is None or media_format == self._format:
            return
        from cushion_player.text.mp4 import read_text_init

        self._format, self._init = None, None
        try:
            if media_format.container is Container.MP4:
                self._init = read_text_init(media_format.init)
            elif media_format.container is not Container.TEXT:
                raise UnsupportedCodec(f"{media_format.container} segments cannot be read as text")
        except UnsupportedCodec as error:
            self._fail(DecodeFault.CODEC, str(error), media_format.rung)
        except DecodeError as error:
            message = f"the initialisation segment of the text track cannot be read: {error}"
            self._fail(DecodeFault.INIT, message, media_format.rung)
        else:
            self._format = media_format

    def feed(self, segment: MediaSegment) -> None:
        if self._format is None:
            return
        self._queue.append(_Work(segment, self._format, self._init, len(self._cuts)))
        if self._reader is None:
            self._reader = asyncio.get_running_loop().create_task(self._read(), name="cushion-text-reader")

    def cut(self, from_us: int) -> None:
        """Forget what begins at `from_us` or later; what is shown then ends then."""
        self._queue = deque([work for work in self._queue if work.segment.start_us < from_us])
        self._cuts.append(from_us)
        self._fed.cut(from_us)
        self.refresh()

    def start(self) -> None:
        """The media clock runs."""
        if self._renderer is not None and self._follower is None:
            self._follower = asyncio.get_running_loop().create_task(self._follow(), name="cushion-text-follower")

    def stop(self) -> None:
        if self._follower is not None:
            self._follower.cancel()
            self._follower = None

    async def close(self) -> None:
        """Take away what is shown; afterwards no task is left."""
        tasks = [task for task in (self._reader, self._follower) if task is not None]
        self.stop()
        self.prepare()
        self._beside.clear()
        self.refresh()
        self._is_closed = True
        await asyncio.gather(*tasks, return_exceptions=True)

    # ------------------------------------------------------------------ what else there is to show

    def set_beside(self, cues: Sequence[Cue]) -> None:
        """Cues of a file of its own; () for none."""
        self._beside = CueList(cues)
        self.refresh()

    def show_only_forced(self, only: bool) -> None:
        """Of the cues that are fed, show those for everybody alone."""
        self._shows_only_forced = only
        self.refresh()

    def tap(self, service: str | None, post: Callable[..., None]) -> CaptionTap | None:
        """Captions of this service from now on, None for none; returns what the video decoder must give pictures to.

        post: runs a call on the event loop, from any thread.
        """
        self._screens.clear()
        self._tap = None
        if service is not None and self._renderer is not None:
            from cushion_player.media.caption_tap import CaptionTap

            self._generation += 1
            self._tap = CaptionTap(
                service, lambda number, screens: post(self._take_screens, number, screens), self._generation
            )
        self.refresh()
        return self._tap

    def is_settled(self) -> bool:
        """Whether everything fed has been read."""
        return self._reader is None

    # ------------------------------------------------------------------ from segments to cues

    async def _read(self) -> None:
        from cushion_player.text.segments import read_piece

        while self._queue:
            work = self._queue.popleft()
            generation = self._generation
            where = f"text segment at {work.segment.start_us / 1e6:.3f} s"
            try:
                piece = await asyncio.to_thread(read_piece, work.segment.data, work.init)
            except MediaError as error:
                if generation == self._generation:
                    self._fail(DecodeFault.DECODE, f"{where}: {error}", work.format.rung)
                continue
            if generation == self._generation and not self._is_closed:
                self._waiting.append((work, piece))
                del self._waiting[:-_MAX_WAITING]
                self.place()
        self._reader = None

    def place(self) -> None:
        """Put on the timeline what waits for it, where it is known by now where that lies."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        for work, piece in waiting:
            segment = work.segment
            is_told = segment.offset_us is not None
            offset_us = segment.offset_us if is_told else self._known_offset_us(work.format.discontinuity)
            if offset_us is None:
                self._waiting.append((work, piece))
                continue
            cues = piece.placed(segment.start_us, segment.end_us, offset_us, is_told=is_told)
            until_us = min(self._cuts[work.n_cuts :], default=None)
            self._fed.add(cues if until_us is None else clipped(cues, -NEVER_US, until_us))
        self._fed.trim(self._media_clock.position_us() - _KEPT_US)
        self.refresh()

    def _take_screens(self, generation: int, screens: Sequence[Screen]) -> None:
        if self._tap is None or generation != self._generation:
            return
        for screen in screens:
            insort(self._screens, screen, key=_start_of)
        past = bisect_right(self._screens, self._media_clock.position_us(), key=_start_of)
        del self._screens[: max(past - 1, 0)]
        self.refresh()

    def _fail(self, code: DecodeFault, message: str, rung: int) -> None:
        self._tell(DecodeFailure(TrackKind.TEXT, code, message, rung))

    # ------------------------------------------------------------------ on the media clock

    def refresh(self) -> None:
        """Tell the renderer what is to be shown now, if that changed."""
        if self._renderer is None or self._is_closed:
            return
        position_us = self._media_clock.position_us()
        fed = self._fed.active_at(position_us)
        if self._shows_only_forced:
            fed = tuple([cue for cue in fed if cue.is_forced])
        at = bisect_right(self._screens, position_us, key=_start_of) - 1
        captions = self._screens[at].cues if at >= 0 else ()
        active = (*fed, *captions, *self._beside.active_at(position_us))
        if active != self._shown:
            self._shown = active
            self._renderer.show(active)

    async def _follow(self) -> None:
        while True:
            self.refresh()
            position_us = self._media_clock.position_us()
            at = bisect_right(self._screens, position_us, key=_start_of)
            changes = [
                self._fed.next_change_us(position_us),
                self._beside.next_change_us(position_us),
                *[screen.start_us for screen in self._screens[at : at + 1]],
            ]
            wait_us = _LOOK_US
            for change_us in changes:
                if change_us is not None:
                    wait_us = min(wait_us, max(int((change_us - position_us) / self._media_clock.rate) + 1, 1_000))
            await self._clock.sleep_until(self._clock.now_us() + wait_us)


def _start_of(screen: Screen) -> int:
    return screen.start_us
