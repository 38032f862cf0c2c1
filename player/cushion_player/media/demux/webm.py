"""WebM (and Matroska with the same codecs) in segments: an initialisation segment, then clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from cushion_player.boxes.ebml import Element, elements, number, real, vint
from cushion_player.errors import DecodeError, UnsupportedCodec
from cushion_player.media.demux.base import CodecConfig, CodedFrame, Stretch
from cushion_player.timeline import TrackKind

_SEGMENT: Final = 0x18538067
_INFO: Final = 0x1549A966
_TIMESTAMP_SCALE: Final = 0x2AD7B1
_TRACKS: Final = 0x1654AE6B
_TRACK_ENTRY: Final = 0xAE
_CLUSTER: Final = 0x1F43B675
_TIMESTAMP: Final = 0xE7
_SIMPLE_BLOCK: Final = 0xA3
_BLOCK_GROUP: Final = 0xA0
_BLOCK: Final = 0xA1
_BLOCK_DURATION: Final = 0x9B
_REFERENCE_BLOCK: Final = 0xFB
_CONTENT_ENCODINGS: Final = 0x6D80
_ENTERED: Final = frozenset({_SEGMENT, _CLUSTER})
_BLOCKS: Final = (_SIMPLE_BLOCK, _BLOCK_GROUP)
_TRACK_TYPES: Final = {TrackKind.VIDEO: 1, TrackKind.AUDIO: 2}
_LACING: Final = 0x06
_KEY_FRAME: Final = 0x80
_FLAC_HEAD_BYTES: Final = 8
_FLAC_STREAMINFO_BYTES: Final = 34
_DEFAULT_FRAME_US: Final = 20_000

_CODECS: Final = {
    "V_VP8": "vp8",
    "V_VP9": "vp9",
    "V_AV1": "libdav1d",
    "V_MPEG4/ISO/AVC": "h264",
    "V_MPEGH/ISO/HEVC": "hevc",
    "A_OPUS": "opus",
    "A_VORBIS": "vorbis",
    "A_AAC": "aac",
    "A_FLAC": "flac",
    "A_AC3": "ac3",
    "A_EAC3": "eac3",
    "A_MPEG/L3": "mp3float",
}


@dataclass(frozen=True, slots=True)
class _Track:
    """codec_delay_ns comes off every timestamp; default_duration_ns is 0 when not said."""

    number: int
    config: CodecConfig
    codec_delay_ns: int
    default_duration_ns: int


class _Block(NamedTuple):
    start: int
    end: int
    time_us: int
    duration_us: int | None
    is_sync: bool


class WebmDemuxer:
    """Clusters of one track, whole or in part."""

    def __init__(self, kind: TrackKind, init: bytes) -> None:
        """Raises DecodeError when the initialisation segment has no such track, UnsupportedCodec for its codec."""
        self._scale_ns = 1_000_000
        self._track = self._read_init(memoryview(init), kind)
        self._frame_us = self._track.default_duration_ns // 1000 or _DEFAULT_FRAME_US
        self._cluster_ticks = 0

    @property
    def config(self) -> CodecConfig:
        return self._track.config

    def read(self, data: bytes, expected_us: int) -> Stretch:
        """See Demuxer. Blocks that are not whole are left out, and blocks before any cluster belong to the last one."""
        view = memoryview(data)
        blocks, damage = self._blocks(view)
        return Stretch(self._track.config, [self._frame(view, blocks, at) for at in range(len(blocks))], damage)

    def start_us(self, data: bytes) -> int | None:
        """Media time of the first frame shown; None without frames. Raises DecodeError."""
        blocks, _ = self._blocks(memoryview(data))
        return min((block.time_us for block in blocks), default=None)

    def reset(self) -> None:
        """Clusters stand alone."""

    def _frame(self, view: memoryview, blocks: list[_Block], at: int) -> CodedFrame:
        block = blocks[at]
        duration_us = block.duration_us
        if duration_us is None and self._track.config.codec == "opus":
            duration_us = _opus_us(view[block.start : block.end])
        if duration_us is None:
            if not self._track.default_duration_ns and at + 1 < len(blocks):
                self._frame_us = max(blocks[at + 1].time_us - block.time_us, 1)
            duration_us = self._frame_us
        return CodedFrame(view[block.start : block.end], block.time_us, block.time_us, duration_us, block.is_sync)

    # ------------------------------------------------------------------ the initialisation segment

    def _read_init(self, view: memoryview, kind: TrackKind) -> _Track:
        failure: UnsupportedCodec | None = None
        for element in elements(view, 0, len(view), _ENTERED):
            if element.id == _INFO:
                for child in elements(view, element.payload, element.end):
                    if child.id == _TIMESTAMP_SCALE:
                        self._scale_ns = number(view, child)
            elif element.id == _TRACKS:
                for entry in elements(view, element.payload, element.end):
                    if entry.id != _TRACK_ENTRY:
                        continue
                    try:
                        track = _read_track(view, entry, kind)
                    except UnsupportedCodec as error:
                        failure = failure or error
                        continue
                    if track is not None:
                        return track
            elif element.id == _CLUSTER:
                break
        raise failure or DecodeError(f"the initialisation segment has no {kind} track (WebM)")

    # ------------------------------------------------------------------ clusters

    def _blocks(self, view: memoryview) -> tuple[list[_Block], str]:
        blocks: list[_Block] = []
        try:
            for element in elements(view, 0, len(view), _ENTERED):
                if element.id == _TIMESTAMP:
                    self._cluster_ticks = number(view, element)
                elif element.id in _BLOCKS:
                    self._take(view, element, blocks)
        except DecodeError as error:
            if not blocks:
                raise
            return blocks, str(error)
        return blocks, ""

    def _take(self, view: memoryview, element: Element, blocks: list[_Block]) -> None:
        if element.is_cut:
            raise DecodeError(f"{element} is truncated")
        if element.id == _SIMPLE_BLOCK:
            self._add(view, element, None, None, blocks)
            return
        block: Element | None = None
        duration_us: int | None = None
        is_sync = True
        for child in elements(view, element.payload, element.end):
            if child.id == _BLOCK:
                block = child
            elif child.id == _BLOCK_DURATION:
                duration_us = number(view, child) * self._scale_ns // 1000
            elif child.id == _REFERENCE_BLOCK:
                is_sync = False
        if block is not None:
            self._add(view, block, duration_us, is_sync, blocks)

    def _add(
        self, view: memoryview, element: Element, duration_us: int | None, is_sync: bool | None, blocks: list[_Block]
    ) -> None:
        track, at = vint(view, element.payload, element.end)
        if track != self._track.number:
            return
        if at + 3 > element.end:
            raise DecodeError(f"{element} is too short for a block")
        ticks = self._cluster_ticks + int.from_bytes(view[at : at + 2], "big", signed=True)
        flags = view[at + 2]
        if flags & _LACING:
            raise DecodeError(f"{element} holds several frames (lacing), which is not supported")
        time_us = (ticks * self._scale_ns - self._track.codec_delay_ns + 500) // 1000
        sync = bool(flags & _KEY_FRAME) if is_sync is None else is_sync
        blocks.append(_Block(at + 3, element.end, time_us, duration_us, sync))


def _opus_us(packet: memoryview) -> int | None:
    """How long an Opus packet sounds (RFC 6716, 3.1); None when it is damaged."""
    if not len(packet):
        return None
    kind, counting = packet[0] >> 3, packet[0] & 3
    if kind < 12:
        frame_us = (10_000, 20_000, 40_000, 60_000)[kind & 3]
    elif kind < 16:
        frame_us = (10_000, 20_000)[kind & 1]
    else:
        frame_us = (2_500, 5_000, 10_000, 20_000)[kind & 3]
    if counting < 3:
        return frame_us * (2 if counting else 1)
    return frame_us * (packet[1] & 63) if len(packet) > 1 else None


def _read_track(view: memoryview, entry: Element, kind: TrackKind) -> _Track | None:
    """None when it is of another kind."""
    numbers: dict[int, int] = {}
    codec_id, private, width, height, rate_hz, is_encoded = "", b"", 0, 0, 0, False
    for element in elements(view, entry.payload, entry.end):
        match element.id:
            case 0xD7 | 0x83 | 0x56AA | 0x23E383:
                numbers[element.id] = number(view, element)
            case 0x86:
                codec_id = bytes(view[element.payload : element.end]).rstrip(b"\0").decode("ascii", "replace")
            case 0x63A2:
                private = bytes(view[element.payload : element.end])
            case 0xE0:
                sizes = {child.id: child for child in elements(view, element.payload, element.end)}
                width, height = (number(view, sizes[key]) if key in sizes else 0 for key in (0xB0, 0xBA))
            case 0xE1:
                rates = [child for child in elements(view, element.payload, element.end) if child.id == 0xB5]
                rate_hz = int(real(view, rates[0])) if rates else 8000
            case 0x6D80:
                is_encoded = True
            case _:
                pass
    if numbers.get(0x83) != _TRACK_TYPES[kind]:
        return None
    if is_encoded:
        raise UnsupportedCodec(f"the {kind} track of the WebM segments is encrypted or compressed once more")
    codec = _CODECS.get(codec_id)
    if codec is None:
        raise UnsupportedCodec(f"no decoder for {codec_id!r} here")
    if codec == "flac":
        private = private[_FLAC_HEAD_BYTES : _FLAC_HEAD_BYTES + _FLAC_STREAMINFO_BYTES]
    config = CodecConfig(codec, codec_id, private, width, height, rate_hz)
    return _Track(numbers.get(0xD7, 0), config, numbers.get(0x56AA, 0), numbers.get(0x23E383, 0))
