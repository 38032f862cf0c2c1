"""Initialisation segments: what a track is, and what its decoder must be told.

Knows moov down to the sample description; the codec configurations themselves are read in `codecs`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from struct import Struct
from typing import NamedTuple

from cushion_player.boxes.codecs import CodecInfo, read_entry_encryption, read_sample_entry
from cushion_player.boxes.cursor import Box, children, need, printable, unpack, version_and_flags, walk, word
from cushion_player.boxes.encryption import TrackEncryption, with_groups
from cushion_player.errors import DecodeError, MediaError, NoSuchTrack

_MDHD_V0 = Struct(">III")
_MDHD_V1 = Struct(">QQI")
_ELST_V0 = Struct(">Iii")
_ELST_V1 = Struct(">Qqi")
_MATRIX = Struct(">5i")
_TREX = Struct(">5I")
_HANDLERS = ("vide", "soun")
_TEXT_HANDLERS = ("text", "subt")
MAX_ENTRIES = 256
"""Sample descriptions a track may have; further ones are nonsense, and refused."""


class _Trex(NamedTuple):
    """What the samples of a track have unless their fragment says otherwise."""

    entry: int = 1
    duration: int = 0
    size: int = 0
    flags: int = 0


@dataclass(frozen=True, slots=True)
class InitInfo:
    """One track of an initialisation segment.

    codec: the PyAV decoder's name (`h264`, `hevc`, `libdav1d`, `aac` …), `wvtt` or `stpp` for subtitles;
    codec_string: RFC 6381 (`avc1.64001f`). Of an encrypted track, what it is in the clear.
    extradata: what `CodecContext.extradata` wants before it opens; b"" when the decoder needs none.
    edit_start: ticks the edit list takes off every composition time (negative when it delays the track).
    default_*: what samples have when their fragment does not say (mvex/trex).
    encryptions: of each sample description (fragments name one, from 1), None for one in the clear; () when all are.
    """

    track_id: int
    timescale: int
    handler: str
    """`vide`, `soun`, or for subtitles `text` or `subt`."""
    codec: str
    codec_string: str
    extradata: bytes
    width_px: int = 0
    height_px: int = 0
    sample_rate_hz: int = 0
    channels: int = 0
    pixel_aspect: tuple[int, int] = (1, 1)
    rotation_deg: int = 0
    """Clockwise, 0, 90, 180 or 270: how a video track is to be turned (the matrix of tkhd)."""
    edit_start: int = 0
    default_duration: int = 0
    default_size: int = 0
    default_flags: int = 0
    default_entry: int = 1
    encryptions: tuple[TrackEncryption | None, ...] = ()

    @property
    def encryption(self) -> TrackEncryption | None:
        """How the track is encrypted where it is; None when it is in the clear throughout."""
        return next((found for found in self.encryptions if found is not None), None)


def read_init(data: bytes | memoryview, handler: str | None = None) -> InitInfo:
    """The first video or audio track of an initialisation segment; `handler` asks for one kind.

    handler: `vide`, `soun`, or `text` for a track of subtitles (handler `text` or `subt`).
    Raises DecodeError when the data is truncated, is no initialisation segment or has neither video nor audio,
    NoSuchTrack when it has only the other, UnsupportedCodec when we know no decoder for it, or not the scheme it is
    encrypted by.
    """
    failure: MediaError | None = None
    view = memoryview(data)
    wanted = _TEXT_HANDLERS if handler == "text" else (handler,) if handler else _HANDLERS
    for track, trex, movie_timescale in _tracks(view):
        if _handler(view, track) not in wanted:
            continue
        try:
            return _read_track(view, track, trex, movie_timescale)
        except MediaError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    message = f"the initialisation segment has no {_NAMES.get(handler or '', 'video or audio')} track"
    has_other = any(_handler(view, track) in _HANDLERS for track, _, _ in _tracks(view))
    raise NoSuchTrack(message) if handler in _HANDLERS and has_other else DecodeError(message)


def read_tracks(data: bytes | memoryview) -> tuple[InitInfo, ...]:
    """Every video and audio track of an initialisation segment (a muxed one has both). Raises as `read_init` does."""
    view = memoryview(data)
    return tuple(
        _read_track(view, track, trex, movie_timescale)
        for track, trex, movie_timescale in _tracks(view)
        if _handler(view, track) in _HANDLERS
    )


_NAMES = {"vide": "video", "soun": "audio", "text": "subtitle"}


def _tracks(view: memoryview) -> list[tuple[Box, dict[int, _Trex], int]]:
    """Each trak, with the trex defaults by track id and the movie's timescale."""
    moov = next((box for box in walk(view, 0, len(view)) if box.kind == b"moov"), None)
    if moov is None:
        raise DecodeError("no movie header (box 'moov') in the initialisation segment: it is truncated, or not MP4")
    traks: list[Box] = []
    trex: dict[int, _Trex] = {}
    movie_timescale = 0
    for box in walk(view, moov.payload, moov.end):
        if box.kind == b"trak":
            traks.append(box)
        elif box.kind == b"mvhd":
            movie_timescale = _timescale(view, box)
        elif box.kind == b"mvex":
            for child in walk(view, box.payload, box.end):
                if child.kind == b"trex":
                    track_id, *defaults = unpack(_TREX, view, child.payload + 4, child)
                    trex[track_id] = _Trex(*defaults)
    return [(trak, trex, movie_timescale) for trak in traks]


def _timescale(view: memoryview, box: Box) -> int:
    """The timescale of an mvhd or mdhd: both begin alike."""
    version, _ = version_and_flags(view, box)
    value: int = unpack(_MDHD_V1 if version else _MDHD_V0, view, box.payload + 4, box)[2]
    return value


def _handler(view: memoryview, trak: Box) -> str:
    mdia = need(children(view, trak), b"mdia", trak)
    hdlr = need(children(view, mdia), b"hdlr", mdia)
    return printable(word(view, hdlr.payload + 8, hdlr).to_bytes(4, "big"))


def _read_track(view: memoryview, trak: Box, trex: dict[int, _Trex], movie_timescale: int) -> InitInfo:
    parts = children(view, trak)
    tkhd = need(parts, b"tkhd", trak)
    version, _ = version_and_flags(view, tkhd)
    track_id = word(view, tkhd.payload + (20 if version else 12), tkhd)
    mdia = need(parts, b"mdia", trak)
    media = children(view, mdia)
    mdhd = need(media, b"mdhd", mdia)
    timescale = _timescale(view, mdhd)
    if not timescale:
        raise DecodeError(f"{mdhd} has a timescale of 0")
    minf = need(media, b"minf", mdia)
    stbl = need(children(view, minf), b"stbl", minf)
    stsd = need(children(view, stbl), b"stsd", stbl)
    handler = _handler(view, trak)
    entries = list(islice(walk(view, stsd.payload + 8, stsd.end), MAX_ENTRIES + 1))
    if not entries:
        raise DecodeError(f"{stsd} describes no samples")
    if len(entries) > MAX_ENTRIES:
        raise DecodeError(f"{stsd} has more than {MAX_ENTRIES} sample descriptions, which is nonsense")
    info = _from_codec(read_sample_entry(view, entries[0], handler), track_id, timescale, handler)
    encryptions = [read_entry_encryption(view, entry, handler) for entry in entries]
    entry, duration, size, flags = trex.get(track_id, _Trex())
    return replace(
        info,
        rotation_deg=_rotation_deg(view, tkhd) if handler == "vide" else 0,
        edit_start=_edit_start(view, parts.get(b"edts"), timescale, movie_timescale),
        default_duration=duration,
        default_size=size,
        default_flags=flags,
        default_entry=entry or 1,
        encryptions=with_groups(encryptions, view, stbl) if any(encryptions) else (),
    )


def _rotation_deg(view: memoryview, tkhd: Box) -> int:
    """The quarter turn that the matrix of a track makes (ISO/IEC 14496-12, 6.2.2); 0 for any other transformation."""
    version, _ = version_and_flags(view, tkhd)
    a, b, _, c, d = unpack(_MATRIX, view, tkhd.payload + (52 if version else 40), tkhd)
    signs = tuple((value > 0) - (value < 0) for value in (a, b, c, d))
    return {(0, 1, -1, 0): 90, (-1, 0, 0, -1): 180, (0, -1, 1, 0): 270}.get(signs, 0)


def _from_codec(codec: CodecInfo, track_id: int, timescale: int, handler: str) -> InitInfo:
    return InitInfo(
        track_id,
        timescale,
        handler,
        codec.decoder,
        codec.codec_string,
        codec.extradata,
        codec.width_px,
        codec.height_px,
        codec.sample_rate_hz,
        codec.channels,
        codec.pixel_aspect,
    )


def _edit_start(view: memoryview, edts: Box | None, timescale: int, movie_timescale: int) -> int:
    """Media time of the first real edit, less the empty edits before it. Later edits are not followed."""
    elst = children(view, edts).get(b"elst") if edts else None
    if elst is None:
        return 0
    version, _ = version_and_flags(view, elst)
    layout = _ELST_V1 if version else _ELST_V0
    delay = 0
    at = elst.payload + 8
    for _ in range(word(view, elst.payload + 4, elst)):
        duration, media_time, _ = unpack(layout, view, at, elst)
        if media_time >= 0:
            start: int = media_time
            return start - delay
        if movie_timescale:
            delay += duration * timescale // movie_timescale
        at += layout.size
    return -delay
