"""From bytes of any container to coded frames with times: one demuxer a container, all behind one interface.

Each is imported with its first format: a start should not pay for the others.
"""

from __future__ import annotations

from cushion_player.errors import UnsupportedCodec
from cushion_player.media.demux.base import CodecConfig, CodedFrame, Demuxer, KnowsItsStart, Stretch, TimedMetadata
from cushion_player.model import Container
from cushion_player.outputs import MediaFormat
from cushion_player.timeline import TrackKind

__all__ = ["CodecConfig", "CodedFrame", "Demuxer", "Stretch", "TimedMetadata", "make_demuxer", "start_us"]


def make_demuxer(kind: TrackKind, media_format: MediaFormat) -> Demuxer:
    """Raises DecodeError when the initialisation segment cannot be read, UnsupportedCodec for what is not known."""
    match media_format.container:
        case Container.MP4:
            from cushion_player.media.demux.mp4 import Mp4Demuxer

            return Mp4Demuxer(kind, media_format.init, media_format.keys)
        case Container.MPEG_TS:
            from cushion_player.media.demux.ts import TsDemuxer

            return TsDemuxer(kind, media_format.init)
        case Container.PACKED_AUDIO:
            from cushion_player.media.demux.packed import PackedDemuxer

            return PackedDemuxer()
        case Container.WEBM:
            from cushion_player.media.demux.webm import WebmDemuxer

            return WebmDemuxer(kind, media_format.init)
        case Container.PACKETS:
            from cushion_player.media.demux.packets import PacketsDemuxer

            return PacketsDemuxer(media_format.init)
        case _:
            raise UnsupportedCodec(f"{media_format.container} segments cannot be decoded")


def start_us(kind: TrackKind, media_format: MediaFormat, data: bytes) -> int | None:
    """Media time at which a piece begins, as its timestamps have it (clocks of 33 bits are not unwrapped).

    None when it does not say. Raises DecodeError and UnsupportedCodec.
    """
    if media_format.container is Container.PACKED_AUDIO:
        from cushion_player.media.demux.packed import read_timestamp
        from cushion_player.media.demux.wrapping import ticks_to_us

        _, ticks = read_timestamp(data)
        return ticks_to_us(ticks) if ticks is not None else None
    demuxer = make_demuxer(kind, media_format)
    assert isinstance(demuxer, KnowsItsStart)
    return demuxer.start_us(data)
