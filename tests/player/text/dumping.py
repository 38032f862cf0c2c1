"""Cues as lines that people can read and compare: times, place, then the text with its looks in brackets."""

from __future__ import annotations

from collections.abc import Iterable

from cushion_player.text import NEVER_US, Colour, Cue, Placement, Span, Style

_PLAIN = Placement()


def dump(cues: Iterable[Cue]) -> str:
    return "\n".join(_cue(cue) for cue in cues) + "\n"


def _cue(cue: Cue) -> str:
    head = [f"{_time(cue.start_us)} --> {_time(cue.end_us)}"]
    if cue.id:
        head.append(f"id={cue.id}")
    if cue.is_forced:
        head.append("forced")
    head += [
        f"{name}={value}"
        for name, value, default in zip(Placement._fields, cue.placement, _PLAIN, strict=True)
        if value != default
    ]
    if cue.region is not None:
        region = cue.region
        box = f"{region.left:g},{region.top:g},{region.width:g},{region.height:g}"
        head.append(f"region={region.id}({box} {region.stack}{' scrolls' if region.scrolls else ''})")
        if region.background is not None:
            head.append(f"region-background={_colour(region.background)}")
    if cue.window is not None:
        head.append(f"window={_colour(cue.window)}")
    return " ".join(head) + "".join("\n    " + _span(span) for span in cue.spans)


def _span(span: Span) -> str:
    looks = [
        f"{name}={_colour(value) if isinstance(value, Colour) else value}"
        for name, value, default in zip(Style._fields, span.style, Style(), strict=True)
        if value != default
    ]
    looks += [f"{name}={value}" for name in ("ruby", "voice", "language", "after_us") if (value := getattr(span, name))]
    return repr(span.text) + (f" [{' '.join(looks)}]" if looks else "")


def _time(time_us: int) -> str:
    if time_us >= NEVER_US:
        return "never"
    seconds, rest = divmod(time_us, 1_000_000)
    fraction = f"{rest:06}".rstrip("0").ljust(3, "0")
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction}"


def _colour(colour: Colour) -> str:
    return "#" + bytes(colour).hex()
