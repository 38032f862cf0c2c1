"""From segments to frames, on the calling thread: a demuxer for the container feeds PyAV's codec contexts.

What is known here: packets, codecs, damage. What is not: threads, queues, clocks, screens.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, cast

import av
from av.error import FFmpegError

from cushion_player.errors import DecodeError
from cushion_player.media.codec_context import Context, open_context
from cushion_player.media.demux import CodecConfig, Demuxer, Stretch, TimedMetadata, make_demuxer
from cushion_player.media.demux.plausible import plausible
from cushion_player.media.hardware import SinceKeyFrame
from cushion_player.media.look import Looks
from cushion_player.outputs import FrameLook, MediaFormat
from cushion_player.timeline import TrackKind

if TYPE_CHECKING:
    from cushion_player.media.caption_tap import CaptionTap

log = logging.getLogger(__name__)

Frame = av.VideoFrame | av.AudioFrame

MICROSECONDS: Final = Fraction(1, 1_000_000)
MAX_SPAN_US: Final = 3_600_000_000
_ROUNDING_US: Final = 1_000
"""Durations in WebM are whole milliseconds."""


class TrackDecoder:
    """Decodes one track over any number of formats.

    Frames come out in presentation order with `pts` and `duration` in µs on the timeline. Damaged frames are left
    out and counted in `corrupt`. `damage` is what was wrong with the last piece.
    """

    def __init__(self, kind: TrackKind, devices: Sequence[str] = ()) -> None:
        self.kind = kind
        self.corrupt = 0
        self.late_until_us = 0
        """Frames that end before it may be left out, too: playback has gone past them."""
        self.damage = ""
        self.n_coded = 0
        """Coded frames in the last piece; 0 when it carries nothing of this track."""
        self.on_metadata: Callable[[TimedMetadata], None] | None = None
        """Told of metadata beside the media as soon as a piece is demuxed, with its time on the timeline."""
        self.captions: CaptionTap | None = None
        """Where coded pictures go first while captions are wanted."""
        self._devices = devices
        self._since_key: SinceKeyFrame | None = None
        """While hardware decodes."""
        self._format: MediaFormat | None = None
        self._demuxer: Demuxer | None = None
        self._config: CodecConfig | None = None
        self._context: Context | None = None
        self._looks = Looks()

    def look_of(self, frame: av.VideoFrame) -> FrameLook:
        """How a frame that just came out is to be shown."""
        return self._looks.of(frame, self._config, self._context)

    def is_set_to(self, media_format: MediaFormat) -> bool:
        """Whether it decodes this format already, so that a switch would change nothing."""
        return self._demuxer is not None and self._format == media_format

    def switch(self, media_format: MediaFormat) -> None:
        """What follows is of this format. What the old decoder still holds is lost: `drain` it first.

        A new context for video each time, because a running one ignores new extradata. An audio decoder that would be
        told the same again stays: its overlap carries over the join.
        Raises DecodeError or UnsupportedCodec; the decoder then stays without a format.
        """
        before, self._format, self._demuxer = self._format, None, None
        config, context = self._config, self._context
        self._config = self._context = None
        demuxer = make_demuxer(self.kind, media_format)
        if self.kind is TrackKind.AUDIO and context is not None:
            self._config, self._context = config, context
            if before is not None and before.discontinuity != media_format.discontinuity:
                context.flush_buffers()
        known = getattr(demuxer, "config", None)
        if isinstance(known, CodecConfig):
            self._set_up(known)
        self._format, self._demuxer = media_format, demuxer

    def decode(
        self, data: bytes, start_us: int, offset_us: int, wanted_from_us: int = 0, span_us: int = MAX_SPAN_US
    ) -> Iterator[Frame]:
        """The frames of a segment or chunk, except those the decoder still holds back for reordering.

        offset_us: media time minus timeline time. wanted_from_us: frames that end before it may be left out.
        span_us: what the data should last; frames much further apart cannot be right and are left out.
        Raises DecodeError when there is nothing to make of the data or there is no format, UnsupportedCodec,
        KeyUnavailable.
        """
        if self._demuxer is None:
            raise DecodeError("there is no initialisation segment for it")
        self.damage, self.n_coded = "", 0
        stretch = plausible(self._demuxer.read(data, start_us + offset_us), span_us)
        is_first_only = self._format is not None and self._format.has_key_frames_only
        self.damage, self.n_coded = stretch.damage if not is_first_only else "", len(stretch.frames)
        if self.captions is not None and not is_first_only:
            self.captions.take(stretch, offset_us)
        if self.on_metadata is not None:
            for time_us, body in stretch.metadata:
                self.on_metadata(TimedMetadata(time_us - offset_us, body))
        if stretch.config != self._config:
            yield from self.drain()
            self._set_up(stretch.config)
        context = self._context
        assert context is not None
        if is_first_only:
            yield from self._decode_first(stretch, start_us, span_us)
            return
        is_video = self.kind is TrackKind.VIDEO
        did_skip: bool | None = None
        for coded, pts_us, dts_us, duration_us, is_sync in stretch.frames:
            packet = av.Packet(cast(bytes, coded))  # it takes any buffer; its stub knows bytes
            packet.time_base = MICROSECONDS
            packet.pts, packet.dts, packet.duration = pts_us - offset_us, dts_us - offset_us, duration_us
            packet.is_keyframe = is_sync
            if is_video:
                end_us = pts_us - offset_us + duration_us
                skips = end_us <= wanted_from_us or end_us <= self.late_until_us
                if skips != did_skip:
                    context.skip_frame = "NONREF" if skips else "DEFAULT"
                    did_skip = skips
            yield from self._decode(packet)
            if context is not self._context:
                assert self._context is not None
                context, did_skip = self._context, None

    def _decode_first(self, stretch: Stretch, start_us: int, span_us: int) -> Iterator[Frame]:
        """The first key frame, as a picture for the whole span."""
        first = next((frame for frame in stretch.frames if frame.is_sync), None)
        if first is None:
            return
        packet = av.Packet(cast(bytes, first.data))  # as above
        packet.time_base = MICROSECONDS
        packet.pts, packet.dts, packet.duration = start_us, start_us, span_us
        packet.is_keyframe = True
        yield from self._decode(packet)
        yield from self.drain()

    def drain(self) -> Iterator[Frame]:
        """What the decoder still holds back for reordering; video must go on with a key frame. Audio holds nothing."""
        if self._context is not None and self.kind is TrackKind.VIDEO:
            yield from self._decode(None)
            self._flush()

    def reset(self) -> None:
        """Forget what was fed, so that any key frame may follow."""
        if self.captions is not None:
            self.captions.reset()
        if self._demuxer is not None:
            self._demuxer.reset()
        if self._context is not None:
            self._flush()

    def _flush(self) -> None:
        assert self._context is not None
        self._context.flush_buffers()
        if self._since_key is not None:
            self._since_key.forget()

    def _set_up(self, config: CodecConfig) -> None:
        """Have a context for these frames."""
        if self._context is None or self._config != config:
            self._config = self._context = None
            self._context = open_context(config, self.kind, self._devices)
            self._since_key = SinceKeyFrame() if self._context.is_hwaccel else None
            self._config = config

    def _decode(self, packet: av.Packet[Any] | None) -> list[Frame]:
        assert self._context is not None
        if self._since_key is not None and packet is not None:
            self._since_key.gave(packet)
        frames: Sequence[Frame]
        try:
            frames = self._context.decode(packet)
        except FFmpegError as error:
            if self._since_key is None:
                self.corrupt += 1
                return []
            frames = self._leave_hardware(self._since_key, packet, error)
        if self._since_key is not None:
            self._since_key.got(frames)
        good: list[Frame] = []
        for frame in frames:
            if frame.is_corrupt or frame.pts is None:
                self.corrupt += 1
                continue
            if isinstance(frame, av.AudioFrame):
                frame.pts += _left_out_us(frame)
            good.append(frame)
        return good

    def _leave_hardware(
        self, since_key: SinceKeyFrame, packet: av.Packet[Any] | None, error: FFmpegError
    ) -> list[Frame]:
        """Go on in software for good, with the frames that the device still owes."""
        assert self._config is not None
        log.warning("hardware failed at %s, software goes on: %s", self._config.codec_string, error)
        self._devices, self._since_key = (), None
        self._context = context = open_context(self._config, self.kind)
        assert isinstance(context, av.VideoCodecContext)
        try:
            frames = since_key.decode_again(context)
            return [*frames, *(context.decode(None) if packet is None else ())]
        except FFmpegError:
            self.corrupt += 1
            return []


def _left_out_us(frame: av.AudioFrame) -> int:
    """How much of its beginning the decoder left out: Opus does so at the start, and leaves the time as it was."""
    missing_us = frame.duration - frame.samples * 1_000_000 // frame.sample_rate
    return missing_us if frame.duration and missing_us > _ROUNDING_US else 0
