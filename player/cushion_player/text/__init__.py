"""Subtitles, captions and thumbnails: readers of every form they come in. No I/O, no clock, no drawing.

    read_subtitles(data)                 a file: SubRip, WebVTT or TTML
    read_vtt(segment), read_ttml(…)      a text segment; X-TIMESTAMP-MAP comes with it
    read_text_init, read_text_segment    text in fragmented MP4: wvtt, stpp
    from_packet, CaptionDecoder          CEA-608 and CEA-708 inside the picture track
    ThumbnailIndex                       where the picture for a moment of the seek bar lies

Input is untrusted. Each either returns values or raises MediaError (DecodeError, UnsupportedCodec), in bounded work;
DecodeError only when it is not that format at all, or hostile. What cannot be read inside is left out.
"""

from __future__ import annotations

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
