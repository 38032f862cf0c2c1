"""Where the chunks of a segment end while it is still arriving: for low latency, each can be decoded on its own.

A chunk is a movie fragment with its media data (moof and mdat) and whatever stands before it: styp, prft, emsg, sidx.
Source: ISO/IEC 23000-19 (CMAF) 6.6.5. Works on bytes that only grow; no I/O.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from cushion_player.boxes.cursor import Box
from cushion_player.boxes.init import InitInfo
from cushion_player.boxes.segment import read_segment
from cushion_player.errors import DecodeError

_HEADER = Struct(">I4s")
_LARGE_SIZE = Struct(">Q")
MAX_HEADER_BYTES = 16 * 1024 * 1024
"""A box that is not media data and is larger than this is nonsense, and refused before it has come."""


class MediaChunk(NamedTuple):
    """One complete chunk. Times are ticks of the track, the edit list already applied."""

    start: int
    """First byte, counted from the start of the segment."""
    end: int
    """The byte after its last."""
    decode_time: int
    """Of its first sample; 0 when it has none of the track."""
    duration: int
    """Of its samples together."""
    earliest: int
    """When its first picture or sound is shown."""
    latest: int
    """When its last one ends."""
    n_samples: int
    is_independent: bool
    """It begins with a sample that decoding can start at."""


class ChunkScanner:
    """Tells of each chunk once, as soon as its last byte is there.

        scanner = ChunkScanner(init)
        while …:
            received += piece
            for chunk in scanner.scan(received): …
        scanner.finish(received)

    Each byte of a box header is looked at once; a call that completes nothing costs a few comparisons.
    """

    def __init__(self, init: InitInfo) -> None:
        self._init = init
        self._at = 0
        self._chunk_start = 0
        self._has_fragment = False

    @property
    def complete_bytes(self) -> int:
        """How far from the start the data consists of whole chunks."""
        return self._chunk_start

    def scan(self, received: bytes | bytearray | memoryview) -> list[MediaChunk]:
        """The chunks that became complete. received: all bytes of the segment so far, from its start.

        Raises DecodeError when the structure is broken; the chunks told before stay good.
        """
        return self._scan(memoryview(received), is_whole=False)

    def finish(self, received: bytes | bytearray | memoryview) -> list[MediaChunk]:
        """The same when no more will come: boxes that say they reach to the end do.

        Raises DecodeError when a box is cut off.
        """
        view = memoryview(received)
        chunks = self._scan(view, is_whole=True)
        if self._at < len(view):
            raise DecodeError(f"{len(view) - self._at} bytes left at byte {self._at}: the last chunk is truncated")
        if self._has_fragment:
            raise DecodeError(f"the fragment in the chunk at byte {self._chunk_start} has no media data (box 'mdat')")
        return chunks

    def _scan(self, view: memoryview, *, is_whole: bool) -> list[MediaChunk]:
        chunks: list[MediaChunk] = []
        while True:
            box = _next_box(view, self._at, is_whole=is_whole)
            if box is None or box.end > len(view):
                return chunks
            if box.kind == b"moof":
                if self._has_fragment:
                    raise DecodeError(f"{box} comes before the media data (box 'mdat') of the fragment before it")
                self._has_fragment = True
            self._at = box.end
            if box.kind == b"mdat":
                if self._has_fragment:
                    chunks.append(self._read(view, self._chunk_start, box.end))
                    self._has_fragment = False
                self._chunk_start = box.end

    def _read(self, view: memoryview, start: int, end: int) -> MediaChunk:
        info = read_segment(view[start:end], self._init, file_position=start)
        if not info.samples:
            return MediaChunk(start, end, 0, 0, 0, 0, 0, False)
        first, last = info.samples[0], info.samples[-1]
        duration = last.dts + last.duration - first.dts
        return MediaChunk(start, end, first.dts, duration, info.start, info.end, len(info.samples), first.is_sync)


def _next_box(view: memoryview, at: int, *, is_whole: bool) -> Box | None:
    """The box that begins at `at`, though its body may not be there yet; None when its header is not.

    One that reaches to the end of the file is there only once the file is whole.
    """
    left = len(view) - at
    if left < 8:
        return None
    size, kind = _HEADER.unpack_from(view, at)
    payload = at + 8
    if size == 1:
        if left < 16:
            return None
        size = _LARGE_SIZE.unpack_from(view, payload)[0]
        payload += 8
    elif size == 0:
        if not is_whole:
            return None
        size = left
    box = Box(kind, at, payload, at + size)
    if size < payload - at:
        raise DecodeError(f"{box} says it is {size} bytes long, less than its own header")
    if kind != b"mdat" and size > MAX_HEADER_BYTES:
        raise DecodeError(f"{box} says it is {size} bytes long; more than {MAX_HEADER_BYTES} is nonsense")
    return box
