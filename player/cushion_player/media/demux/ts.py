"""MPEG transport streams: PES packets of one stream, as frames with times.

A PES packet holds whole pictures, as HLS packagers write them; sound may lie across them, and across segments.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from cushion_player.errors import DecodeError, NoSuchTrack, UnsupportedCodec
from cushion_player.media.demux.audio_frames import READERS, split_frames
from cushion_player.media.demux.base import CodecConfig, CodedFrame, Stretch, TimedMetadata
from cushion_player.media.demux.ts_packets import Packets, read_packets
from cushion_player.media.demux.ts_tables import Programme, read_programme
from cushion_player.media.demux.wrapping import ticks_to_us, unwrap_us
from cushion_player.timeline import TrackKind

_JOIN_US: Final = 20_000
"""Sound whose timestamp is this near to the end of the sound before it follows it without a gap."""
_DEFAULT_FRAME_US: Final = 40_000
_SYNC_UNITS: Final = {
    "h264": (b"\0\0\1\x67", b"\0\0\1\x27", b"\0\0\1\x47", b"\0\0\1\x65"),
    "hevc": (b"\0\0\1\x40", b"\0\0\1\x26", b"\0\0\1\x28", b"\0\0\1\x2a"),
}
"""What a picture begins with where decoding can begin: parameter sets, IDR (and CRA)."""
_HEAD_BYTES: Final = 256


class _Pes(NamedTuple):
    """One PES packet: 33-bit times (None when not said), where its payload lies, whether decoding can begin."""

    pts: int | None
    dts: int | None
    start: int
    end: int
    is_random_access: bool


class TsDemuxer:
    """Segments of one rung. Which stream it is may change with every programme map."""

    def __init__(self, kind: TrackKind, init: bytes = b"") -> None:
        """init: packets with the tables, where the segments do not repeat them (EXT-X-MAP)."""
        self._kind = kind
        self._programme = read_programme(read_packets(init)) if init else None
        self._rest = b""
        self._next_us: float | None = None
        self._frame_us = _DEFAULT_FRAME_US

    def read(self, data: bytes, expected_us: int) -> Stretch:
        packets = read_packets(data)
        pid, codec, programme = self._stream(packets)
        chosen = packets.of(pid)
        if chosen.is_scrambled():
            raise UnsupportedCodec(f"the {self._kind} packets of the transport stream are scrambled")
        payload, lead, found = _pes_packets(chosen)
        lost = packets.lost + chosen.jumps()
        damage = f"{lost} gaps in the transport stream" if lost else ""
        metadata = _metadata(packets, programme.id3, expected_us) if programme.id3 >= 0 else ()
        if self._kind is TrackKind.VIDEO or codec == "aac_latm":
            frames = self._pictures(payload, found, codec, expected_us)
        else:
            frames, skipped = self._sound(payload, lead, found, codec, expected_us)
            if skipped:
                damage = f"{damage or 'damaged sound'}; {skipped} bytes between frames were passed over"
        return Stretch(CodecConfig(codec, codec), frames, damage, metadata)

    def start_us(self, data: bytes) -> int | None:
        """The first timestamp of the stream, not unwrapped; None when the data has none. Raises DecodeError."""
        packets = read_packets(data)
        pid, _, _ = self._stream(packets)
        _, _, found = _pes_packets(packets.of(pid))
        times = [pes.pts for pes in found if pes.pts is not None]
        if not times:
            return None
        first = times[0]
        return ticks_to_us(first + min(((time - first + (1 << 32)) & (1 << 33) - 1) - (1 << 32) for time in times))

    def reset(self) -> None:
        self._rest, self._next_us = b"", None

    def _stream(self, packets: Packets) -> tuple[int, str, Programme]:
        self._programme = programme = read_programme(packets) or self._programme
        if programme is None:
            raise DecodeError("the transport stream has no tables (PAT, PMT) that say what it carries")
        streams = programme.streams(self._kind)
        if streams:
            return *streams[0], programme
        if self._kind in programme.sample_encrypted:
            raise UnsupportedCodec(f"the {self._kind} of the transport stream is encrypted (SAMPLE-AES)")
        if not programme.unknown:
            raise NoSuchTrack(f"the transport stream carries no {self._kind}")
        unknown = ", ".join(f"{kind:#04x}" for kind in programme.unknown)
        raise UnsupportedCodec(
            f"the transport stream carries no {self._kind} that is known here (other stream types: {unknown})"
        )

    # ------------------------------------------------------------------ pictures

    def _pictures(self, payload: bytes, found: list[_Pes], codec: str, expected_us: int) -> list[CodedFrame]:
        view = memoryview(payload)
        units: list[tuple[int, int, int, int, bool]] = []
        for pes in found:
            if pes.pts is None:
                if units:  # the picture goes on
                    start, _, pts_us, dts_us, is_sync = units[-1]
                    units[-1] = (start, pes.end, pts_us, dts_us, is_sync)
                continue
            pts_us = unwrap_us(pes.pts, expected_us)
            dts_us = pts_us if pes.dts is None else unwrap_us(pes.dts, expected_us)
            is_sync = pes.is_random_access or _begins_anew(payload, pes, codec)
            units.append((pes.start, pes.end, pts_us, dts_us, is_sync))
        durations = self._durations([unit[2] for unit in units])
        return [
            CodedFrame(view[start:end], pts_us, dts_us, durations[pts_us], is_sync)
            for start, end, pts_us, dts_us, is_sync in units
        ]

    def _durations(self, times_us: list[int]) -> dict[int, int]:
        """To the next picture shown; of the last one, what the others have."""
        ordered = sorted(set(times_us))
        steps = [after - before for before, after in pairwise(ordered)]
        if steps:
            self._frame_us = sorted(steps)[len(steps) // 2]
        return dict(zip(ordered, [*steps, self._frame_us], strict=False))

    # ------------------------------------------------------------------ sound

    def _sound(
        self, payload: bytes, lead: int, found: list[_Pes], codec: str, expected_us: int
    ) -> tuple[list[CodedFrame], int]:
        """Frames, and bytes passed over. A frame has the time of the PES packet in which it begins."""
        before = self._rest + payload[:lead] if self._rest else b""
        stream = b"".join([before, *(payload[pes.start : pes.end] for pes in found)])
        marks: list[tuple[int, int]] = []
        at = len(before)
        for pes in found:
            if pes.pts is not None:
                marks.append((at, unwrap_us(pes.pts, expected_us)))
            at += pes.end - pes.start
        split, end, skipped = split_frames(stream, READERS[codec])
        self._rest = stream[end:]
        view = memoryview(stream)
        frames: list[CodedFrame] = []
        next_mark = 0
        time_us = self._next_us
        for start, stop, samples, rate_hz in split:
            marked: int | None = None
            while next_mark < len(marks) and marks[next_mark][0] <= start:
                marked = marks[next_mark][1]
                next_mark += 1
            if marked is not None and (time_us is None or abs(marked - time_us) > _JOIN_US):
                time_us = marked
            if time_us is None:
                continue  # the end of something whose beginning we do not have
            duration_us = samples * 1_000_000 / rate_hz
            frames.append(CodedFrame(view[start:stop], round(time_us), round(time_us), round(duration_us), True))
            time_us += duration_us
        self._next_us = time_us
        return frames, skipped


def _pes_packets(chosen: Packets) -> tuple[bytes, int, list[_Pes]]:
    """The payload of a stream, how much of it goes on from the piece before, and the PES packets in it."""
    payload, offsets = chosen.payload()
    begins = np.flatnonzero(chosen.begins())
    random_access = chosen.random_access()
    starts = [int(offsets[row]) for row in begins]
    found: list[_Pes] = []
    for at, row in enumerate(begins):
        limit = starts[at + 1] if at + 1 < len(starts) else len(payload)
        pes = _read_pes(payload, starts[at], limit, bool(random_access[row]))
        if pes is not None:
            found.append(pes)
    return payload, starts[0] if starts else len(payload), found


def _read_pes(payload: bytes, start: int, limit: int, is_random_access: bool) -> _Pes | None:
    """The header of a PES packet (2.4.3.6); None when it is not one with times and data."""
    if limit - start < 9 or payload[start : start + 3] != b"\0\0\1" or payload[start + 6] & 0xC0 != 0x80:
        return None
    length = int.from_bytes(payload[start + 4 : start + 6], "big")
    first = start + 9 + payload[start + 8]
    end = min(limit, start + 6 + length) if length else limit
    if first > end:
        return None
    flags = payload[start + 7] >> 6
    pts = _time(payload, start + 9) if flags & 2 and first >= start + 14 else None
    dts = _time(payload, start + 14) if flags == 3 and first >= start + 19 else None
    return _Pes(pts, dts, first, end, is_random_access)


def _time(data: bytes, at: int) -> int:
    high, middle, low = data[at] >> 1 & 7, data[at + 1] << 7 | data[at + 2] >> 1, data[at + 3] << 7 | data[at + 4] >> 1
    return high << 30 | middle << 15 | low


def _begins_anew(payload: bytes, pes: _Pes, codec: str) -> bool:
    head = payload[pes.start : min(pes.end, pes.start + _HEAD_BYTES)]
    return any(unit in head for unit in _SYNC_UNITS.get(codec, ()))


def _metadata(packets: Packets, pid: int, expected_us: int) -> tuple[TimedMetadata, ...]:
    payload, _, found = _pes_packets(packets.of(pid))
    return tuple(_tags(payload, found, expected_us))


def _tags(payload: bytes, found: list[_Pes], expected_us: int) -> Iterator[TimedMetadata]:
    for pes in found:
        if pes.pts is not None and payload[pes.start : pes.start + 3] == b"ID3":
            yield TimedMetadata(unwrap_us(pes.pts, expected_us), payload[pes.start : pes.end])
