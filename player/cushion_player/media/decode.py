"""From segments to frames, on the calling thread: our box reader feeds PyAV's codec contexts.

What is known here: boxes, packets, codecs, damage. What is not: threads, queues, clocks, screens.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final, cast

import av
from av.error import FFmpegError

from cushion_player.boxes import InitInfo, read_init, read_segment
from cushion_player.errors import DecodeError, UnsupportedCodec
from cushion_player.outputs import MediaFormat
from cushion_player.timeline import TrackKind

Frame = av.VideoFrame | av.AudioFrame
_Context = av.VideoCodecContext | av.AudioCodecContext

MICROSECONDS: Final = Fraction(1, 1_000_000)
HANDLERS: Final = {TrackKind.VIDEO: "vide", TrackKind.AUDIO: "soun"}
_ONE_THREAD_PX: Final = 1920 * 1088
"""Up to this size one core decodes several times faster than real time (200 fps at 1080p was measured)."""


class TrackDecoder:
    """Decodes one track over any number of initialisation segments.

    Frames come out in presentation order with `pts` and `duration` in µs on the timeline. Damaged frames are left
    out and counted in `corrupt`.
    """

    def __init__(self, kind: TrackKind) -> None:
        self.kind = kind
        self.corrupt = 0
        self._init: InitInfo | None = None
        self._context: _Context | None = None

    def switch(self, media_format: MediaFormat) -> None:
        """What follows is of this format. What the old decoder still holds is lost: `drain` it first.

        A new context each time, because a running one ignores new extradata. An audio decoder that would be told
        the same again stays: its overlap carries over the join.
        Raises DecodeError or UnsupportedCodec; the decoder then stays without a context.
        """
        before, context = self._init, self._context
        self._init, self._context = None, None
        info = read_init(media_format.init, HANDLERS[self.kind])
        is_same = before is not None and (before.codec, before.extradata) == (info.codec, info.extradata)
        self._context = context if is_same and self.kind is TrackKind.AUDIO else _open(info, self.kind)
        self._init = info

    def decode(self, segment: bytes, offset_us: int, wanted_from_us: int = 0) -> Iterator[Frame]:
        """The frames of a media segment, except those the decoder still holds back for reordering.

        offset_us: media time minus timeline time. wanted_from_us: frames that end before it may be left out.
        Raises DecodeError when the segment's structure is broken or there is no decoder.
        """
        info, context = self._init, self._context
        if info is None or context is None:
            raise DecodeError("there is no initialisation segment for it")
        view = memoryview(segment)
        scale, half = info.timescale, info.timescale // 2
        for offset, size, dts, cts, duration, is_sync in read_segment(view, info).samples:
            packet = av.Packet(cast(bytes, view[offset : offset + size]))  # it takes any buffer; its stub knows bytes
            packet.time_base = MICROSECONDS
            packet.pts = (cts * 1_000_000 + half) // scale - offset_us
            packet.dts = (dts * 1_000_000 + half) // scale - offset_us
            packet.duration = (duration * 1_000_000 + half) // scale
            packet.is_keyframe = is_sync
            if self.kind is TrackKind.VIDEO:
                is_early = packet.pts + packet.duration <= wanted_from_us
                context.skip_frame = "NONREF" if is_early else "DEFAULT"
            yield from self._decode(context, packet)

    def drain(self) -> Iterator[Frame]:
        """What the decoder still holds back for reordering; video must go on with a key frame. Audio holds nothing."""
        if self._context is not None and self.kind is TrackKind.VIDEO:
            yield from self._decode(self._context, None)
            self._context.flush_buffers()

    def reset(self) -> None:
        """Forget what was fed, so that any key frame may follow."""
        if self._context is not None:
            self._context.flush_buffers()

    def _decode(self, context: _Context, packet: av.Packet[Any] | None) -> list[Frame]:
        try:
            frames = context.decode(packet)
        except FFmpegError:
            self.corrupt += 1
            return []
        good: list[Frame] = []
        for frame in frames:
            if frame.is_corrupt or frame.pts is None:
                self.corrupt += 1
            else:
                good.append(frame)
        return good


def _open(info: InitInfo, kind: TrackKind) -> _Context:
    try:
        context = av.CodecContext.create(info.codec, "r")
        assert isinstance(context, _Context)
        if info.extradata:
            context.extradata = info.extradata
        if kind is TrackKind.VIDEO:
            context.thread_count = 1 if info.width_px * info.height_px <= _ONE_THREAD_PX else 0
        else:
            context.thread_count = 1
            assert isinstance(context, av.AudioCodecContext)
            if info.sample_rate_hz:
                context.sample_rate = info.sample_rate_hz
        context.open()
    except (FFmpegError, ValueError) as exc:
        raise UnsupportedCodec(f"cannot decode {info.codec_string}: {exc}") from exc
    return context
