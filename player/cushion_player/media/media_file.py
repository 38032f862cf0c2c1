"""A media file (MP4, WebM, Matroska, TS, sound alone) as segments of packets: one rung a stream, cut at key frames.

Reading blocks; every method may be called from any thread, one at a time. libavformat finds the packets; which of its
readers does is settled by the first bytes, so that no file can make it follow a playlist or open anything else.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import islice
from typing import Any, Final, TypeAlias

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition

from cushion_player.errors import DecodeError, UnsupportedCodec
from cushion_player.media.demux import CodecConfig, CodedFrame
from cushion_player.media.demux.packets import CODECS, write_init, write_segment
from cushion_player.media.look import rotation_deg
from cushion_player.timeline import TrackKind

Open: TypeAlias = Callable[[], "io.RawIOBase | str"]
"""Opens the file once more: a path, or something to read and seek in."""
_Packet: TypeAlias = "av.Packet[Any]"

SEGMENT_US: Final = 3_000_000
"""The least that a segment lasts; it ends at the next key frame."""
MAX_INDEX_PACKETS: Final = 20_000_000
_INDEX_SLACK_US: Final = 30_000_000
"""An index that ends this long before the file does not cover it."""
_MATCH_US: Final = 50_000
"""A key frame this near to where the index has one is that one."""
_AUDIO_RUN_UP_US: Final = 500_000
_LATE_START_US: Final = 1_000_000
"""A Matroska stream that begins later makes it matter from where the file's duration counts."""
_SHORT_US: Final = 250_000
"""A stream that begins or ends no more than this inside the file lasts as long as the file."""
_LOOK_PACKETS: Final = 64
"""A decoder that has shown no picture after so many packets is not asked how it is turned."""


def sniff(head: bytes) -> str:
    """libavformat's name of the container that begins so, "" when it is none that can be played."""
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"styp", b"moof"):
        return "mov"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if head[:1] == b"\x47" and head[188:189] in (b"\x47", b""):
        return "mpegts"
    if head[:4] == b"fLaC":
        return "flac"
    if head[:4] == b"OggS":
        return "ogg"
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[:3] == b"ID3" or (head[:1] == b"\xff" and head[1:2] in (b"\xfb", b"\xfa", b"\xf3", b"\xf2")):
        return "mp3"
    return "aac" if head[:1] == b"\xff" and head[1:2] in (b"\xf1", b"\xf9") else ""


@dataclass(frozen=True, slots=True)
class FileTrack:
    """One stream. starts_us: where each segment begins, and where the last one ends, in the file's own time."""

    kind: TrackKind
    config: CodecConfig
    bitrate_bps: int
    starts_us: tuple[int, ...]
    language: str = ""
    frame_rate: Fraction | None = None


class MediaFile:
    """The first video stream and the first audio stream of a file."""

    def __init__(self, opener: Open, container: str) -> None:
        """Look at the file. Raises DecodeError when it cannot be read, UnsupportedCodec when nothing in it can."""
        self._opener = opener
        self._container = container
        self._readers: dict[TrackKind, _StreamReader] = {}
        try:
            self._look()
        except FFmpegError as error:
            self.close()
            raise DecodeError(f"the {container} file cannot be read: {error.strerror}") from error
        except BaseException:
            self.close()
            raise

    @property
    def start_us(self) -> int:
        """The file's time at which it begins to play."""
        return self._start_us

    @property
    def duration_us(self) -> int:
        return self._end_us - self._start_us

    def track(self, kind: TrackKind) -> FileTrack | None:
        return self._tracks.get(kind)

    def init(self, kind: TrackKind) -> bytes:
        return write_init(self._tracks[kind].config)

    def segment(self, kind: TrackKind, index: int) -> bytes:
        """The packets of a segment. Raises DecodeError."""
        starts_us = self._tracks[kind].starts_us
        end_us = starts_us[index + 1] if index + 2 < len(starts_us) else None
        try:
            return write_segment(self._readers[kind].read(starts_us[index], end_us, is_first=index == 0))
        except FFmpegError as error:
            raise DecodeError(f"{kind} segment {index} cannot be read from the file: {error}") from error

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def _look(self) -> None:
        refused: list[str] = []
        for kind in (TrackKind.VIDEO, TrackKind.AUDIO):
            reader = _StreamReader(self._open, kind)
            self._readers[kind] = reader
            if reader.stream is None or reader.codec not in CODECS:
                if reader.stream is not None:
                    refused.append(reader.codec)
                reader.close()
                del self._readers[kind]
        if not self._readers:
            known = f"codecs that are not known here: {', '.join(refused)}" if refused else "no picture and no sound"
            raise UnsupportedCodec(f"the file has {known}")
        begins = [reader.start_us for reader in self._readers.values()]
        self._start_us = max(0, min(begins))
        self._end_us = max(reader.end_us for reader in self._readers.values())
        if self._end_us <= self._start_us:
            raise DecodeError("the file does not say how long it is, or is empty")
        self._tracks = {kind: self._describe(reader) for kind, reader in self._readers.items()}

    def _describe(self, reader: _StreamReader) -> FileTrack:
        """Each stream is cut by itself, and may begin later and end sooner than the file."""
        start_us = self._start_us if reader.start_us - self._start_us < _SHORT_US else reader.start_us
        end_us = self._end_us if self._end_us - reader.end_us < _SHORT_US else reader.end_us
        return reader.describe(tuple(_borders(reader.key_frames_us(end_us), start_us, end_us)))

    def _open(self) -> InputContainer:
        # skip_frame: probing decodes the first pictures otherwise, which takes ten times as long.
        return av.open(self._opener(), "r", format=self._container, options={"skip_frame": "all"})


def _borders(key_frames_us: list[int], start_us: int, end_us: int) -> list[int]:
    """Segments of SEGMENT_US at least, each from a key frame on where there are any."""
    borders = [start_us]
    if not key_frames_us:
        borders += range(start_us + SEGMENT_US, end_us - SEGMENT_US // 2, SEGMENT_US)
    for time_us in key_frames_us:
        if time_us - borders[-1] >= SEGMENT_US and time_us < end_us:
            borders.append(time_us)
    return [*borders, end_us]


class _StreamReader:
    """One stream of a file, through a handle of its own, so that no stream has to wait for another's place in it."""

    def __init__(self, opener: Callable[[], InputContainer], kind: TrackKind) -> None:
        self._opener = opener
        self._kind = kind
        self._container = opener()
        self.stream = self._find_stream()
        self._packets: Iterator[_Packet] | None = None
        self._held: CodedFrame | None = None
        self._at_us: int | None = None

    @property
    def codec(self) -> str:
        # Without a decoder there is no context, whatever the stub says.
        context: object = self.stream.codec_context if self.stream is not None else None
        return context.name if isinstance(context, av.CodecContext) else "unknown"

    @cached_property
    def start_us(self) -> int:
        assert self.stream is not None
        if self._container.format.name.startswith("matroska"):  # one stream's time is taken for another's, unprobed
            first = next(self._frames(), None)
            self._rewind()
            if first is not None:
                return first.pts_us
        return self._to_us(self.stream.start_time or 0)

    @cached_property
    def end_us(self) -> int:
        assert self.stream is not None
        start_us, file_us = self.start_us, self._container.duration or 0
        if self._container.format.name.startswith("matroska"):
            return self._last_us() or start_us + file_us if start_us > _LATE_START_US else file_us
        if self.stream.duration is not None:
            return start_us + self._to_us(self.stream.duration)
        return (self._container.start_time or 0) + file_us

    def _last_us(self) -> int:
        """Where the last packet ends: what Matroska calls a duration counts from 0, or from the first packet."""
        self._seek((self._container.start_time or 0) + (self._container.duration or 0))
        last_us = max((frame.pts_us + frame.duration_us for frame in self._frames()), default=0)
        self._rewind()
        return last_us

    def describe(self, starts_us: tuple[int, ...]) -> FileTrack:
        turned_deg = self._rotation_deg() if self._kind is TrackKind.VIDEO else 0  # first: it opens the file anew
        stream = self.stream
        assert stream is not None
        context = stream.codec_context
        seconds = max((starts_us[-1] - starts_us[0]) / 1e6, 0.001)
        bitrate_bps = stream.bit_rate or (
            self._container.size * 8 / seconds if self._kind is TrackKind.VIDEO else 128_000
        )
        if isinstance(context, av.VideoCodecContext):
            assert isinstance(stream, av.VideoStream)
            aspect = stream.sample_aspect_ratio or Fraction(1)
            config = CodecConfig(
                context.name,
                context.name,
                context.extradata or b"",
                width_px=context.width,
                height_px=context.height,
                pixel_width=aspect.numerator,
                pixel_height=aspect.denominator,
                rotation_deg=turned_deg,
            )
            rate = stream.average_rate
        else:
            assert isinstance(context, av.AudioCodecContext)
            channels = context.layout.nb_channels if context.name.startswith("pcm_") else 0
            config = CodecConfig(
                context.name,
                context.name,
                context.extradata or b"",
                sample_rate_hz=context.sample_rate,
                channels=channels,
            )
            rate = None
        return FileTrack(self._kind, config, round(bitrate_bps), starts_us, stream.language or "", rate)

    def key_frames_us(self, end_us: int) -> list[int]:
        """Times of the key frames, from the file's index or by reading through it; none of sound."""
        if self._kind is TrackKind.AUDIO:
            return []
        stream = self.stream
        assert stream is not None
        self._seek(end_us)  # Matroska reads its index only now
        is_indexed = self._container.format.name != "mpegts"
        # Taken now: an entry is a view into the open file.
        entries = [entry.timestamp for entry in stream.index_entries if entry.is_keyframe] if is_indexed else []
        self._rewind()
        first = next(self._frames(), None)
        self._rewind()
        if len(entries) > 1 and first is not None and self._to_us(entries[-1]) >= end_us - _INDEX_SLACK_US:
            # The index of MP4 counts in decode time: key frames are shown as much later as the first one is.
            delay_us = first.pts_us - self._to_us(entries[0])
            return sorted(self._to_us(entry) + delay_us for entry in entries)
        found: list[int] = []
        for count, frame in enumerate(self._frames()):
            if count > MAX_INDEX_PACKETS:
                raise DecodeError(f"the file has no index, and more than {MAX_INDEX_PACKETS} packets")
            if frame.is_sync:
                found.append(frame.pts_us)
        self._rewind()
        return sorted(found)

    def read(self, start_us: int, end_us: int | None, *, is_first: bool) -> Iterator[CodedFrame]:
        """The frames from the key frame at `start_us` to that at `end_us`; of sound, those of that time."""
        if is_first:
            self._rewind()
        elif self._at_us != start_us:
            self._seek(start_us - (_MATCH_US if self._kind is TrackKind.VIDEO else _AUDIO_RUN_UP_US))
            self._held = self._first_of(start_us)
        frame, self._held, self._at_us = self._held, None, None
        if frame is not None:
            yield frame
        for frame in self._frames():
            is_border = frame.is_sync and end_us is not None and frame.pts_us >= end_us - self._tolerance_us
            if is_border:
                self._held, self._at_us = frame, end_us
                return
            yield frame

    def close(self) -> None:
        self._packets = None
        self._container.close()

    @property
    def _tolerance_us(self) -> int:
        return _MATCH_US if self._kind is TrackKind.VIDEO else 0

    def _rotation_deg(self) -> int:
        """What the container says of turning, which libavformat tells nobody but the decoder of its own stream."""
        self._rewind()
        stream = self.stream
        assert isinstance(stream, av.VideoStream)
        for packet in islice(self._container.demux(stream), _LOOK_PACKETS):
            try:
                frames = stream.codec_context.decode(packet)
            except FFmpegError:
                frames = []
            if frames:
                self._rewind()
                return rotation_deg(frames[0])
        self._rewind()
        return 0

    def _find_stream(self) -> av.VideoStream | av.AudioStream | None:
        streams = self._container.streams
        if self._kind is TrackKind.AUDIO:
            return next(iter(streams.audio), None)
        pictures = (stream for stream in streams.video if not stream.disposition & Disposition.attached_pic)
        return next(pictures, None)

    def _first_of(self, start_us: int) -> CodedFrame | None:
        """The frame that a segment begins with."""
        for frame in self._frames():
            if frame.is_sync and frame.pts_us >= start_us - self._tolerance_us:
                return frame
        return None

    def _rewind(self) -> None:
        """Begin anew: not every container can be sought to its first packet."""
        self._container.close()
        self._container = self._opener()
        self.stream = self._find_stream()
        self._packets, self._held, self._at_us = None, None, None

    def _seek(self, time_us: int) -> None:
        stream = self.stream
        assert stream is not None
        assert stream.time_base is not None
        try:
            self._container.seek(int(time_us / 1_000_000 / stream.time_base), stream=stream, backward=True)
        except FFmpegError:
            self._container.seek(0)  # before the first place that can be sought
        self._packets = self._container.demux(stream)

    def _frames(self) -> Iterator[CodedFrame]:
        if self._packets is None:
            assert self.stream is not None
            self._packets = self._container.demux(self.stream)
        for packet in self._packets:
            if not packet.size or packet.pts is None:
                continue
            pts_us = self._to_us(packet.pts)
            dts_us = self._to_us(packet.dts) if packet.dts is not None else pts_us
            duration_us = max(0, self._to_us(packet.duration or 0))
            yield CodedFrame(bytes(packet), pts_us, dts_us, duration_us, packet.is_keyframe)

    def _to_us(self, ticks: int) -> int:
        assert self.stream is not None
        assert self.stream.time_base is not None
        return round(ticks * self.stream.time_base * 1_000_000)
