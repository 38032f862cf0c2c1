"""WebVTT in MP4 (ISO/IEC 14496-30): each sample holds the cues that are on the picture for its time."""

from __future__ import annotations

from cushion_player.boxes.cursor import Box, walk
from cushion_player.text.cue import ANYWHERE, Cue
from cushion_player.text.vtt import VttContext, read_settings
from cushion_player.text.vtt_text import read_cue_text


def read_wvtt_sample(data: memoryview, start_us: int, end_us: int, context: VttContext) -> list[Cue]:
    """The cues of one sample, over its time. Boxes beside `vttc` (`vtte`: nothing is shown; `vtta`: notes) have none.

    Raises DecodeError when its boxes are broken.
    """
    if end_us <= start_us:
        return []
    cues: list[Cue] = []
    for box in walk(data, 0, len(data)):
        if box.kind == b"vttc":
            cue = _read_cue(data, box, start_us, end_us, context)
            if cue is not None:
                cues.append(cue)
    return cues


def _read_cue(data: memoryview, box: Box, start_us: int, end_us: int, context: VttContext) -> Cue | None:
    name, settings, text = "", "", ""
    for part in walk(data, box.payload, box.end):
        match part.kind:
            case b"iden":
                name = _text(data, part)
            case b"sttg":
                settings = _text(data, part)
            case b"payl":
                text = _text(data, part)
            case _:
                pass  # vsid and ctim join samples of one cue; that its content is the same says as much
    spans = read_cue_text(text, context.rules, name) if text else ()
    if not spans:
        return None
    placement, region = read_settings(settings, context) if settings else (ANYWHERE, None)
    return Cue(start_us, end_us, spans, name, placement, region)


def _text(data: memoryview, box: Box) -> str:
    text = bytes(data[box.payload : box.end]).decode("utf-8", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\0\n")
