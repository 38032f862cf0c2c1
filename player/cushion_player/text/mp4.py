"""Text tracks in fragmented MP4 (ISO/IEC 14496-30, CMAF): `wvtt` and `stpp`."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from cushion_player.boxes import InitInfo, read_segment
from cushion_player.boxes.cursor import Box, children, need, printable, unpack, version_and_flags, walk, word
from cushion_player.errors import DecodeError, UnsupportedCodec
from cushion_player.model import ticks_to_us
from cushion_player.text.cue import Cue, CueList, clipped, shifted
from cushion_player.text.ttml import read_ttml
from cushion_player.text.vtt import VttContext, read_vtt_header
from cushion_player.text.wvtt import read_wvtt_sample

_TREX = Struct(">5I")


@dataclass(frozen=True, slots=True)
class TextInit:
    """What an initialisation segment says of its text track."""

    codec: str
    """`wvtt` or `stpp`."""
    info: InitInfo
    context: VttContext


def read_text_init(data: bytes | memoryview) -> TextInit:
    """The first text track.

    Raises DecodeError when the boxes are broken, UnsupportedCodec when no track is wvtt or stpp.
    """
    view = memoryview(data)
    moov = next((box for box in walk(view, 0, len(view)) if box.kind == b"moov"), None)
    if moov is None:
        raise DecodeError("no movie header (box 'moov') in the initialisation segment of the text track")
    defaults: dict[int, tuple[int, int, int]] = {}
    other = ""
    for box in walk(view, moov.payload, moov.end):
        if box.kind == b"mvex":
            for trex in walk(view, box.payload, box.end):
                if trex.kind == b"trex":
                    track_id, _, *rest = unpack(_TREX, view, trex.payload + 4, trex)
                    defaults[track_id] = (rest[0], rest[1], rest[2])
    for trak in walk(view, moov.payload, moov.end):
        if trak.kind != b"trak":
            continue
        track_id, timescale, entry = _read_track(view, trak)
        if entry.kind in (b"wvtt", b"stpp"):
            duration, size, flags = defaults.get(track_id, (0, 0, 0))
            name = printable(entry.kind)
            info = InitInfo(
                track_id, timescale, "text", name, name, b"",
                default_duration=duration, default_size=size, default_flags=flags,
            )  # fmt: skip
            return TextInit(name, info, _context(view, entry) if name == "wvtt" else VttContext())
        other = other or printable(entry.kind)
    raise UnsupportedCodec(f"cannot read {other!r} as text: only wvtt and stpp are known")


def _read_track(view: memoryview, trak: Box) -> tuple[int, int, Box]:
    parts = children(view, trak)
    tkhd, mdia = need(parts, b"tkhd", trak), need(parts, b"mdia", trak)
    media = children(view, mdia)
    mdhd, minf = need(media, b"mdhd", mdia), need(media, b"minf", mdia)
    stbl = need(children(view, minf), b"stbl", minf)
    stsd = need(children(view, stbl), b"stsd", stbl)
    version, _ = version_and_flags(view, tkhd)
    track_id = word(view, tkhd.payload + (20 if version else 12), tkhd)
    version, _ = version_and_flags(view, mdhd)
    timescale = word(view, mdhd.payload + (20 if version else 12), mdhd)
    entry = next(walk(view, stsd.payload + 8, stsd.end), None)
    if entry is None or not timescale:
        raise DecodeError(f"{trak} describes no samples, or has a timescale of 0")
    return track_id, timescale, entry


def _context(view: memoryview, entry: Box) -> VttContext:
    """The header in vttC, behind the eight bytes that every sample entry begins with."""
    config = children(view, entry, skip=8).get(b"vttC")
    if config is None:
        return VttContext()
    return read_vtt_header(bytes(view[config.payload : config.end]).decode("utf-8", "replace"))


def read_text_segment(data: bytes | memoryview, init: TextInit, offset_us: int) -> list[Cue]:
    """The cues of a media segment, on the timeline. offset_us: media time less timeline time.

    Raises DecodeError when the boxes are broken or a sample is no text of its kind.
    """
    view = memoryview(data)
    found = CueList()
    scale = init.info.timescale
    for sample in read_segment(view, init.info).samples:
        start_us, end_us = ticks_to_us(sample.cts, scale), ticks_to_us(sample.cts + sample.duration, scale)
        body = view[sample.offset : sample.offset + sample.size]
        if init.codec == "wvtt":
            found.add(read_wvtt_sample(body, start_us, end_us, init.context))
        elif sample.size:
            found.add(clipped(read_ttml(bytes(body)), start_us, end_us))  # 6.5: valid for its sample alone
    return shifted(found, -offset_us)
