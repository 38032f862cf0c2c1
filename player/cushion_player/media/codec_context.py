"""Opening decoders: in hardware where a device takes the stream, else in software."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

import av
from av.codec.hwaccel import HWAccel
from av.error import FFmpegError

from cushion_player.errors import UnsupportedCodec
from cushion_player.media.demux import CodecConfig
from cushion_player.timeline import TrackKind

log = logging.getLogger(__name__)

Context = av.VideoCodecContext | av.AudioCodecContext

_ONE_THREAD_PX: Final = 1920 * 1088
"""Up to this size one core decodes several times faster than real time (200 fps at 1080p was measured)."""
_LAYOUTS: Final = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
HARDWARE_DECODERS: Final = {"libdav1d": "av1"}
"""Decoders that know no hardware, and their namesakes that do."""


def open_context(config: CodecConfig, kind: TrackKind, devices: Sequence[str] = ()) -> Context:
    """A decoder for frames of this configuration.

    devices: hardware to try for video, in order (names of `av.codec.hwaccel.hwdevices_available()`). Frames come out in
    main memory all the same. Raises UnsupportedCodec.
    """
    if kind is TrackKind.VIDEO:
        for device in devices:
            accelerated = _open_in_hardware(config, device)
            if accelerated is not None:
                return accelerated
    try:
        context = av.CodecContext.create(config.codec, "r")
        assert isinstance(context, Context)
        _open(context, config, kind)
    except (FFmpegError, ValueError) as exc:
        raise UnsupportedCodec(f"cannot decode {config.codec_string}: {exc}") from exc
    return context


def _open_in_hardware(config: CodecConfig, device: str) -> Context | None:
    """None when the device is not there or does not take the stream."""
    try:
        acceleration = HWAccel(device, allow_software_fallback=False)
        context = av.CodecContext.create(HARDWARE_DECODERS.get(config.codec, config.codec), "r", acceleration)
        assert isinstance(context, Context)
        _open(context, config, TrackKind.VIDEO)
        if not context.is_hwaccel:
            raise NotImplementedError("FFmpeg has no way to decode it there")
    except (FFmpegError, ValueError, RuntimeError, NotImplementedError) as exc:
        log.info("no decoding of %s by %s: %s", config.codec_string, device, exc)
        return None
    return context


def _open(context: Context, config: CodecConfig, kind: TrackKind) -> None:
    if config.extradata:
        context.extradata = config.extradata
    if kind is TrackKind.VIDEO:
        context.thread_count = 1 if config.width_px * config.height_px <= _ONE_THREAD_PX else 0
    else:
        context.thread_count = 1
        assert isinstance(context, av.AudioCodecContext)
        if config.sample_rate_hz:
            context.sample_rate = config.sample_rate_hz
        if config.channels:
            context.layout = _LAYOUTS.get(config.channels, f"{config.channels} channels")
    context.open()
