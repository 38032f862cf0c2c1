"""Media segments: where each sample lies and when it is decoded and shown.

Knows moof, traf, tfhd, tfdt and trun; what its samples are encrypted with is read in `fragment_encryption`. Skips styp,
sidx, prft, emsg, mdat and whatever else stands at the top level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, repeat
from struct import Struct, iter_unpack
from typing import NamedTuple

from cushion_player.boxes.cursor import Box, need, unpack, version_and_flags, walk, word
from cushion_player.boxes.encryption import SampleEncryption
from cushion_player.boxes.fragment_encryption import read_fragment_encryption
from cushion_player.boxes.init import InitInfo
from cushion_player.errors import DecodeError

MAX_SAMPLES = 200_000
"""A segment with more samples than this is nonsense (4 s of 48 kHz PCM, one sample each), and refused."""

_TFHD_BASE_DATA_OFFSET = 0x000001
_TFHD_DESCRIPTION_INDEX = 0x000002
_TFHD_DURATION = 0x000008
_TFHD_SIZE = 0x000010
_TFHD_FLAGS = 0x000020
_TFHD_BASE_IS_MOOF = 0x020000
_TRUN_DATA_OFFSET = 0x000001
_TRUN_FIRST_FLAGS = 0x000004
_TRUN_DURATION = 0x000100
_TRUN_SIZE = 0x000200
_TRUN_FLAGS = 0x000400
_TRUN_SHIFT = 0x000800
_NOT_SYNC = 0x01010000
"""sample_is_non_sync_sample, or sample_depends_on = 1: not a place to start decoding (FFmpeg reads it so too)."""

_UINT64 = Struct(">Q")
_INT64 = Struct(">q")
"""tfdt: unsigned on paper, but FFmpeg writes (and reads) audio priming before 0 as two's complement."""
_INT32 = Struct(">i")


class Sample(NamedTuple):
    """One coded frame. Times are ticks of the track's timescale, the edit list already applied."""

    offset: int
    """First byte, counted from the start of the segment."""
    size: int
    """Bytes."""
    dts: int
    cts: int
    """When it is shown: composition time (pts)."""
    duration: int
    is_sync: bool


@dataclass(frozen=True, slots=True)
class SegmentInfo:
    """The samples of one track in one segment, in decode order.

    start, end: the span of composition times, ticks; both 0 when there are no samples.
    encryption: of each sample, None for one in the clear; () when all are.
    """

    samples: Sequence[Sample]
    start: int
    end: int
    encryption: Sequence[SampleEncryption | None] = ()


def read_segment(data: bytes | memoryview, init: InitInfo, *, file_position: int = 0) -> SegmentInfo:
    """Find the samples of the track of `init` in a segment of one or more movie fragments.

    file_position: where data[0] lies in its file; matters only for fragments that address it absolutely.
    Raises DecodeError, naming the box and the byte, when the data is truncated or contradicts itself.
    """
    view = memoryview(data)
    reader = _FragmentReader(view, init, file_position)
    fragments = 0
    for box in walk(view, 0, len(view)):
        if box.kind == b"moof":
            reader.read_fragment(box)
            fragments += 1
    if not fragments:
        raise DecodeError("no movie fragment (box 'moof') in the segment: it is not fragmented MP4, or is truncated")
    samples = reader.samples
    if reader.encryption:
        reader.encryption.extend(repeat(None, len(samples) - len(reader.encryption)))
    if not samples:
        return SegmentInfo((), 0, 0)
    start = min([sample.cts for sample in samples])
    end = max([sample.cts + sample.duration for sample in samples])
    return SegmentInfo(samples, start, end, reader.encryption)


class _FragmentReader:
    """Gathers samples over fragments; `next_dts` runs on from one to the next."""

    def __init__(self, data: memoryview, init: InitInfo, file_position: int) -> None:
        self.data = data
        self.init = init
        self.file_position = file_position
        self.samples: list[Sample] = []
        self.encryption: list[SampleEncryption | None] = []
        self.next_dts: int | None = None
        self.claimed = 0
        """Bytes that samples of our track have claimed: as each is claimed once, work stays linear in the data."""

    def read_fragment(self, moof: Box) -> None:
        data_end = moof.start
        """Where the previous track fragment's data ended: the default base of the next one."""
        for index, traf in enumerate(box for box in walk(self.data, moof.payload, moof.end) if box.kind == b"traf"):
            data_end = self._read_track_fragment(traf, moof.start, moof.start if index == 0 else data_end)

    def _read_track_fragment(self, traf: Box, moof_start: int, default_base: int) -> int:
        """Add the samples when the track is ours; returns where the fragment's data ends."""
        data = self.data
        heads: dict[bytes, Box] = {}
        runs: list[Box] = []
        for box in walk(data, traf.payload, traf.end):
            if box.kind == b"trun":
                runs.append(box)
            else:
                heads.setdefault(box.kind, box)
        tfhd = need(heads, b"tfhd", traf)
        defaults, base, track_id = self._read_header(tfhd, moof_start, default_base)
        is_ours = track_id == self.init.track_id
        if is_ours:
            tfdt = heads.get(b"tfdt")
            if tfdt is not None:
                version, _ = version_and_flags(data, tfdt)
                at = tfdt.payload + 4
                decode_time = unpack(_INT64, data, at, tfdt)[0] if version == 1 else word(data, at, tfdt)
                self.next_dts = decode_time - self.init.edit_start
            elif self.next_dts is None and runs:
                raise DecodeError(f"{traf} has no decode time (box 'tfdt')")
        at = base
        borders = [len(self.samples)]
        for run in runs:
            at = self._read_run(run, defaults, base, at, is_ours)
            borders.append(len(self.samples))
        if is_ours and self.init.encryptions:
            self._read_encryption(traf, defaults.entry, borders, base)
        return at

    def _read_encryption(self, traf: Box, entry: int, borders: Sequence[int], base: int) -> None:
        """Say of the fragment's samples how they are encrypted. borders: before, between and after its runs."""
        known = self.init.encryptions
        if not 1 <= entry <= len(known):
            raise DecodeError(f"{traf} has samples of description {entry}, but there are {len(known)}")
        track = known[entry - 1]
        if track is None:
            return
        self.encryption.extend(repeat(None, borders[0] - len(self.encryption)))
        runs = [after - before for before, after in pairwise(borders)]
        self.encryption += read_fragment_encryption(self.data, traf, track, runs, base)

    def _read_header(self, tfhd: Box, moof_start: int, default_base: int) -> tuple[_Defaults, int, int]:
        data = self.data
        _, flags = version_and_flags(data, tfhd)
        track_id = word(data, tfhd.payload + 4, tfhd)
        at = tfhd.payload + 8
        base = moof_start if flags & _TFHD_BASE_IS_MOOF else default_base
        if flags & _TFHD_BASE_DATA_OFFSET:
            base = unpack(_UINT64, data, at, tfhd)[0] - self.file_position
            at += 8
        entry = self.init.default_entry
        if flags & _TFHD_DESCRIPTION_INDEX:
            entry = word(data, at, tfhd)
            at += 4
        duration, size, sample_flags = self.init.default_duration, self.init.default_size, self.init.default_flags
        if flags & _TFHD_DURATION:
            duration = word(data, at, tfhd)
            at += 4
        if flags & _TFHD_SIZE:
            size = word(data, at, tfhd)
            at += 4
        if flags & _TFHD_FLAGS:
            sample_flags = word(data, at, tfhd)
        return _Defaults(duration, size, sample_flags, entry), base, track_id

    def _read_run(self, trun: Box, defaults: _Defaults, base: int, at: int, is_ours: bool) -> int:
        """Add the samples of one run; returns where its data ends."""
        data = self.data
        version, flags = version_and_flags(data, trun)
        count = word(data, trun.payload + 4, trun)
        field = trun.payload + 8
        if flags & _TRUN_DATA_OFFSET:
            at = base + unpack(_INT32, data, field, trun)[0]
            field += 4
        first_flags: int | None = None
        if flags & _TRUN_FIRST_FLAGS:
            first_flags = word(data, field, trun)
            field += 4
        columns = _read_columns(data, trun, field, version, flags, count, len(self.samples))
        sizes = columns.get(_TRUN_SIZE)
        end = at + (sum(sizes) if sizes is not None else count * defaults.size)
        if not is_ours:
            return end
        self.claimed += end - at
        if count and not 0 <= at <= end <= len(data):
            raise DecodeError(
                f"{trun} places samples at bytes {at} to {end}, but the segment has {len(data)} bytes: it is truncated"
            )
        if self.claimed > len(data):
            raise DecodeError(f"{trun} shares bytes with samples before it: {self.claimed} of {len(data)} are claimed")
        assert self.next_dts is not None
        always_sync = self.init.handler == "soun"
        dts = self.next_dts
        append = self.samples.append
        first = len(self.samples)
        for size, duration, sample_flags, shift in zip(
            sizes if sizes is not None else repeat(defaults.size, count),
            columns.get(_TRUN_DURATION) or repeat(defaults.duration),
            columns.get(_TRUN_FLAGS) or repeat(defaults.flags),
            columns.get(_TRUN_SHIFT) or repeat(0),
            strict=False,
        ):
            append(Sample(at, size, dts, dts + shift, duration, always_sync or not sample_flags & _NOT_SYNC))
            at += size
            dts += duration
        if first_flags is not None and count and not always_sync:
            self.samples[first] = self.samples[first]._replace(is_sync=not first_flags & _NOT_SYNC)
        self.next_dts = dts
        return end


class _Defaults(NamedTuple):
    """What a sample has when its run does not say."""

    duration: int
    size: int
    flags: int
    entry: int
    """Which sample description, from 1."""


def _read_columns(
    data: memoryview, trun: Box, at: int, version: int, flags: int, count: int, already: int
) -> dict[int, tuple[int, ...]]:
    """The per-sample fields of a run by their flag, each a column of `count` numbers; absent fields are absent."""
    if already + count > MAX_SAMPLES:
        raise DecodeError(f"{trun} claims {count} samples; more than {MAX_SAMPLES} in a segment is nonsense")
    present = [flag for flag in (_TRUN_DURATION, _TRUN_SIZE, _TRUN_FLAGS, _TRUN_SHIFT) if flags & flag]
    length = 4 * len(present) * count
    if at + length > trun.end:
        raise DecodeError(f"{trun} claims {count} samples, but is too short for them: it is truncated")
    if not length:
        return {}
    layout = ">" + "".join("i" if flag == _TRUN_SHIFT and version else "I" for flag in present)
    return dict(zip(present, zip(*iter_unpack(layout, data[at : at + length]), strict=True), strict=True))
