"""Subtitle files beside a presentation: SubRip, WebVTT or TTML, told apart by what they begin with."""

from __future__ import annotations

from collections.abc import Callable

from cushion_player.errors import DecodeError
from cushion_player.text.cue import Cue, shifted
from cushion_player.text.reading import decode_text, first_line
from cushion_player.text.srt import read_srt
from cushion_player.text.ttml import read_ttml
from cushion_player.text.vtt import is_vtt, read_vtt


def read_subtitles(data: bytes | str, offset_us: int = 0) -> tuple[Cue, ...]:
    """The cues of a file in any of the three formats; a positive offset shows them later.

    Raises DecodeError, which names the line where that is known, when it is none of them or broken beyond reading.
    """
    return tuple(shifted(_reader_for(data)(data), offset_us))


def _reader_for(data: bytes | str) -> Callable[[bytes | str], tuple[Cue, ...]]:
    text = decode_text(data, "a subtitle file")
    if is_vtt(text):
        return lambda whole: read_vtt(whole).cues
    start = text[:4096].lstrip()
    if start.startswith("<") and ("<tt" in start or ":tt" in start):
        return read_ttml
    if "-->" in text:
        return read_srt
    raise DecodeError(f"neither SubRip, WebVTT nor TTML: line 1 is {first_line(text)}")
