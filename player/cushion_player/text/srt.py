"""SubRip (`.srt`): numbered blocks with times and a few HTML tags. There is no specification; this reads what is about.

Besides `<b> <i> <u> <font color>` the habits of other programs are understood: `{\\an8}` places, `{\\i1}` and the like
are dropped, times may have a dot, numbers may be missing.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final

from cushion_player.errors import DecodeError
from cushion_player.text.colours import read_colour
from cushion_player.text.cue import ANYWHERE, PLAIN, Align, Cue, Edge, Placement, Span, Style
from cushion_player.text.reading import decode_text, first_line

_TIME: Final = r"([0-9]{1,3})\s*:\s*([0-9]{1,2})\s*:\s*([0-9]{1,2})(?:\s*[,.]\s*([0-9]{1,9}))?"
_TIMING: Final = re.compile(rf"^[^\S\n]*{_TIME}[^\S\n]*-->[^\S\n]*{_TIME}[^\n]*$", re.MULTILINE)
_TAG: Final = re.compile(r"<(/?)([A-Za-z]{1,10})([^<>]{0,300})>|\{(\\[^{}]{0,100})\}")
_COLOUR: Final = re.compile(r"""color\s*=\s*["']?\s*([^"'\s>]+)""", re.IGNORECASE)
_NUMPAD: Final = re.compile(r"\\an([1-9])")
_ALIGNS: Final = (Align.LEFT, Align.CENTER, Align.RIGHT)
MAX_DEPTH: Final = 32


def read_srt(data: bytes | str) -> tuple[Cue, ...]:
    """The cues of a SubRip file, by start; what cannot be read, or lasts no time, is left out.

    Raises DecodeError when there is no timing line in it, or it is too long.
    """
    text = decode_text(data, "a SubRip file")
    timings = list(_TIMING.finditer(text))
    if not timings:
        raise DecodeError(f"not SubRip: no line with two times and '-->'; line 1 is {first_line(text)}")
    cues: list[Cue] = []
    for index, timing in enumerate(timings):
        has_next = index + 1 < len(timings)
        body = text[timing.end() + 1 : timings[index + 1].start() if has_next else len(text)]
        start_us, end_us = _time_us(timing.groups()[:4]), _time_us(timing.groups()[4:])
        lines = body.rstrip().split("\n")
        if has_next and _ends_in_number(lines):
            lines.pop()
        words = "\n".join(lines).strip("\n")
        if end_us <= start_us or not words.strip():
            continue
        spans, placement = _read_text(words)
        if spans:
            cues.append(Cue(start_us, end_us, spans, "", placement))
    cues.sort(key=lambda cue: cue.start_us)
    return tuple(cues)


def _ends_in_number(lines: list[str]) -> bool:
    """Whether the last line is the next cue's number: it stands alone, or no blank line was there to set it apart."""
    if not lines[-1].strip().isdecimal():
        return False
    return len(lines) == 1 or not lines[-2].strip() or all(line.strip() for line in lines)


def _time_us(groups: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, fraction = groups
    whole = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    return whole * 1_000_000 + int((fraction or "0")[:6].ljust(6, "0"))


def _read_text(text: str) -> tuple[tuple[Span, ...], Placement]:
    if "<" not in text and "{" not in text:
        return (Span(unescape(text) if "&" in text else text),), ANYWHERE
    spans: list[Span] = []
    placement = ANYWHERE
    stack: list[tuple[str, Style]] = [("", PLAIN)]
    at = 0
    for tag in _TAG.finditer(text):
        _add(spans, text[at : tag.start()], stack[-1][1])
        at = tag.end()
        if tag[4] is not None:
            numpad = _NUMPAD.search(tag[4])
            placement = _place(int(numpad[1])) if numpad else placement
        elif tag[1]:
            _close(stack, tag[2].lower())
        elif len(stack) <= MAX_DEPTH:
            stack.append((tag[2].lower(), _opened(stack[-1][1], tag[2].lower(), tag[3])))
    _add(spans, text[at:], stack[-1][1])
    return tuple(spans), placement


def _add(spans: list[Span], text: str, style: Style) -> None:
    if text:
        spans.append(Span(unescape(text) if "&" in text else text, style))


def _opened(style: Style, tag: str, attributes: str) -> Style:
    match tag:
        case "b" | "strong":
            return style._replace(bold=True)
        case "i" | "em":
            return style._replace(italic=True)
        case "u":
            return style._replace(underline=True)
        case "font":
            found = _COLOUR.search(attributes)
            colour = (read_colour(found[1]) or read_colour("#" + found[1])) if found else None
            return style._replace(colour=colour or style.colour)
        case _:
            return style


def _close(stack: list[tuple[str, Style]], tag: str) -> None:
    """Close the innermost open tag of a name, and what was left open inside it."""
    for index in range(len(stack) - 1, 0, -1):
        if stack[index][0] == tag:
            del stack[index:]
            return


def _place(numpad: int) -> Placement:
    """Where a digit lies on a keyboard's number block: 1 to 3 at the bottom, 7 to 9 at the top."""
    align = _ALIGNS[(numpad - 1) % 3]
    if numpad <= 3:
        return ANYWHERE._replace(align=align)
    if numpad <= 6:
        return ANYWHERE._replace(line=50.0, snaps_to_lines=False, line_edge=Edge.CENTER, align=align)
    return ANYWHERE._replace(line=0.0, align=align)
