"""Subtitles, captions and thumbnails: readers of every form they come in. No I/O, no clock, no drawing.

    read_subtitles(data)                 a file: SubRip, WebVTT or TTML
    read_vtt(segment), read_ttml(…)      a text segment; X-TIMESTAMP-MAP comes with it
    read_text_init, read_text_segment    text in fragmented MP4: wvtt, stpp
    from_packet, CaptionDecoder          CEA-608 and CEA-708 inside the picture track
    ThumbnailIndex                       where the picture for a moment of the seek bar lies

Input is untrusted. Each either returns values or raises MediaError (DecodeError, UnsupportedCodec), in bounded work;
DecodeError only when it is not that format at all, or hostile. What cannot be read inside is left out.

Names are imported on first use (PEP 562): all readers together cost 50 ms of CPU, which a film without text saves.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cushion_player.text.captions import (
        SERVICES,
        CaptionDecoder,
        CcTriple,
        NalCodec,
        caption_service,
        from_packet,
        nal_codec,
        nal_length_bytes,
    )
    from cushion_player.text.cue import (
        NEVER_US,
        Align,
        Colour,
        Cue,
        CueList,
        Edge,
        Placement,
        Region,
        Screen,
        Span,
        Style,
        Vertical,
        cues_of_screens,
        shifted,
    )
    from cushion_player.text.external import read_subtitles
    from cushion_player.text.mp4 import TextInit, read_text_init, read_text_segment
    from cushion_player.text.srt import read_srt
    from cushion_player.text.thumbnails import Crop, Thumbnail, ThumbnailIndex
    from cushion_player.text.ttml import read_ttml
    from cushion_player.text.vtt import TimestampMap, VttContext, VttDocument, read_vtt

_HOMES = {
    "Align": "cushion_player.text.cue",
    "CaptionDecoder": "cushion_player.text.captions",
    "CcTriple": "cushion_player.text.captions",
    "Colour": "cushion_player.text.cue",
    "Crop": "cushion_player.text.thumbnails",
    "Cue": "cushion_player.text.cue",
    "CueList": "cushion_player.text.cue",
    "Edge": "cushion_player.text.cue",
    "NEVER_US": "cushion_player.text.cue",
    "NalCodec": "cushion_player.text.captions",
    "Placement": "cushion_player.text.cue",
    "Region": "cushion_player.text.cue",
    "SERVICES": "cushion_player.text.captions",
    "Screen": "cushion_player.text.cue",
    "Span": "cushion_player.text.cue",
    "Style": "cushion_player.text.cue",
    "TextInit": "cushion_player.text.mp4",
    "Thumbnail": "cushion_player.text.thumbnails",
    "ThumbnailIndex": "cushion_player.text.thumbnails",
    "TimestampMap": "cushion_player.text.vtt",
    "Vertical": "cushion_player.text.cue",
    "VttContext": "cushion_player.text.vtt",
    "VttDocument": "cushion_player.text.vtt",
    "caption_service": "cushion_player.text.captions",
    "cues_of_screens": "cushion_player.text.cue",
    "from_packet": "cushion_player.text.captions",
    "nal_codec": "cushion_player.text.captions",
    "nal_length_bytes": "cushion_player.text.captions",
    "read_srt": "cushion_player.text.srt",
    "read_subtitles": "cushion_player.text.external",
    "read_text_init": "cushion_player.text.mp4",
    "read_text_segment": "cushion_player.text.mp4",
    "read_ttml": "cushion_player.text.ttml",
    "read_vtt": "cushion_player.text.vtt",
    "shifted": "cushion_player.text.cue",
}

__all__ = [
    "NEVER_US",
    "SERVICES",
    "Align",
    "CaptionDecoder",
    "CcTriple",
    "Colour",
    "Crop",
    "Cue",
    "CueList",
    "Edge",
    "NalCodec",
    "Placement",
    "Region",
    "Screen",
    "Span",
    "Style",
    "TextInit",
    "Thumbnail",
    "ThumbnailIndex",
    "TimestampMap",
    "Vertical",
    "VttContext",
    "VttDocument",
    "caption_service",
    "cues_of_screens",
    "from_packet",
    "nal_codec",
    "nal_length_bytes",
    "read_srt",
    "read_subtitles",
    "read_text_init",
    "read_text_segment",
    "read_ttml",
    "read_vtt",
    "shifted",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
