"""WebVTT (W3C): files, segments of HLS, and the cue settings that MP4 carries too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from cushion_player.errors import DecodeError
from cushion_player.text.cue import ANYWHERE, Align, Cue, Edge, Placement, Region, Vertical
from cushion_player.text.reading import decode_text, first_line
from cushion_player.text.vtt_style import Rule, read_percent, read_region, read_rules
from cushion_player.text.vtt_text import TIMESTAMP, clock_us, read_cue_text

_TIMING: Final = re.compile(rf"\s*{TIMESTAMP}\s*-->\s*{TIMESTAMP}(?:\s+(.*))?\s*")
_BLANK: Final = re.compile(r"\n{2,}")
_MAP: Final = re.compile(r"X-TIMESTAMP-MAP\s*=\s*(.*)")
_ROLLOVER: Final = 1 << 33
_CLOCK_HZ: Final = 90_000


class TimestampMap(NamedTuple):
    """X-TIMESTAMP-MAP of HLS (RFC 8216bis, 3.1.4): the cue time `local_us` is the MPEG-2 timestamp `mpegts`."""

    local_us: int = 0
    mpegts: int = 0
    """33 bits of a 90 kHz clock."""

    def shift_us(self, offset_us: int, near_us: int) -> int:
        """What to add to cue times so that they lie on the timeline.

        offset_us: media time less timeline time in this discontinuity. near_us: where on the timeline the segment
        starts: of the rollovers of the 33-bit clock (every 26.5 hours), the nearest is meant.
        """
        at_us = _to_us(self.mpegts) - offset_us
        rounds = round((near_us - at_us) / _to_us(_ROLLOVER))
        return _to_us(self.mpegts + rounds * _ROLLOVER) - offset_us - self.local_us


def _to_us(ticks: int) -> int:
    return (ticks * 1_000_000 + _CLOCK_HZ // 2) // _CLOCK_HZ


@dataclass(frozen=True, slots=True)
class VttContext:
    """What a header says for all cues."""

    rules: tuple[Rule, ...] = ()
    regions: tuple[Region, ...] = ()

    def region(self, name: str) -> Region | None:
        """The last one of a name."""
        return next((region for region in reversed(self.regions) if region.id == name), None)


@dataclass(frozen=True, slots=True)
class VttDocument:
    """A file or segment. `timestamp_map` None: it says nothing."""

    cues: tuple[Cue, ...]
    context: VttContext = VttContext()
    timestamp_map: TimestampMap | None = None


def read_vtt(data: bytes | str) -> VttDocument:
    """A WebVTT file. Cues that cannot be read, or last no time, are left out.

    Raises DecodeError when it does not begin as one, or is too long.
    """
    text = decode_text(data, "a WebVTT file", is_utf8=True)
    if not is_vtt(text):
        raise DecodeError(f"not WebVTT: line 1 is {first_line(text)}, not 'WEBVTT'")
    header, *blocks = _BLANK.split(text)
    _, _, under_header = header.partition("\n")
    found = _MAP.search(header)
    if "-->" in under_header or under_header.startswith(("STYLE", "REGION")):
        blocks.insert(0, under_header)
    context = _read_context(blocks)
    reader = _CueReader(context)
    for block in blocks:
        if "-->" in block:
            reader.read_block(block.strip("\n"))
    reader.cues.sort(key=_start)
    return VttDocument(tuple(reader.cues), context, _read_map(found[1]) if found else None)


def is_vtt(text: str) -> bool:
    """Whether text begins as WebVTT does."""
    return text.startswith("WEBVTT") and text[6:7] in ("", " ", "\t", "\n")


def read_vtt_header(text: str) -> VttContext:
    """The styles and regions of a header (MP4's vttC)."""
    return _read_context(_BLANK.split(text.replace("\r\n", "\n").replace("\r", "\n")))


def _start(cue: Cue) -> int:
    return cue.start_us


def _read_map(text: str) -> TimestampMap | None:
    local_us, mpegts = None, None
    for part in text.split(","):
        key, _, value = part.strip().partition(":")
        if key == "LOCAL" and (time := re.fullmatch(TIMESTAMP, value.strip())):
            local_us = clock_us(*time.groups())
        elif key == "MPEGTS" and re.fullmatch(r"[0-9]{1,20}", value.strip()):
            mpegts = int(value) % _ROLLOVER
    return TimestampMap(local_us, mpegts) if local_us is not None and mpegts is not None else None


def _read_context(blocks: list[str]) -> VttContext:
    rules: list[Rule] = []
    regions: list[Region] = []
    for block in blocks:
        if block.startswith("STYLE") and "-->" not in block:
            rules += read_rules(block.partition("\n")[2])
        elif block.startswith("REGION") and "-->" not in block:
            region = read_region(block.partition("\n")[2])
            if region is not None:
                regions.append(region)
    return VttContext(tuple(rules), tuple(regions))


class _CueReader:
    """Reads blocks into `cues`; settings that are written alike are read once."""

    def __init__(self, context: VttContext) -> None:
        self.cues: list[Cue] = []
        self._context = context
        self._settings: dict[str | None, tuple[Placement, Region | None]] = {None: (ANYWHERE, None)}

    def read_block(self, block: str) -> None:
        """The cue of a block; several where the blank lines between them are missing."""
        if block.count("-->") == 1:
            name, _, rest = block.partition("\n")
            if "-->" in name:
                self._add("", name, rest)
            else:
                timing, _, text = rest.partition("\n")
                self._add(name, timing, text)
            return
        lines = block.split("\n")
        at = [index for index, line in enumerate(lines) if "-->" in line]
        name = lines[at[0] - 1] if at[0] else ""
        for index, end in zip(at, [*at[1:], len(lines)], strict=True):
            self._add(name, lines[index], "\n".join(lines[index + 1 : end]))
            name = ""

    def _add(self, name: str, timing: str, text: str) -> None:
        found = _TIMING.fullmatch(timing)
        if found is None or not text:
            return
        groups = found.groups()
        start_us, end_us = clock_us(*groups[:4]), clock_us(*groups[4:8])
        if end_us <= start_us:
            return
        settings = groups[8]
        placed = self._settings.get(settings)
        if placed is None:
            placed = self._settings[settings] = read_settings(settings, self._context)
        name = name.strip()
        spans = read_cue_text(text, self._context.rules, name)
        if spans:
            self.cues.append(Cue(start_us, end_us, spans, name, *placed))


def read_settings(settings: str, context: VttContext) -> tuple[Placement, Region | None]:
    """Cue settings (section 6.3); those that cannot be read are left as they were."""
    changes: dict[str, Any] = {}
    region: Region | None = None
    for setting in settings.split():
        key, _, value = setting.partition(":")
        match key:
            case "vertical" if value in ("rl", "lr"):
                changes["vertical"] = Vertical(value)
            case "line":
                changes.update(_line(value))
            case "position":
                number, _, edge = value.partition(",")
                position = read_percent(number, -1.0)
                if position >= 0 and edge in ("", "line-left", "center", "line-right"):
                    changes["position"] = position
                    changes["position_edge"] = _POSITION_EDGES.get(edge)
            case "size":
                changes["size"] = read_percent(value, 100.0) or 100.0
            case "align" if value in _ALIGNS:
                changes["align"] = _ALIGNS[value]
            case "region":
                region = context.region(value)
            case _:
                pass
    if region is not None and (changes.get("vertical") or "line" in changes or changes.get("size", 100.0) != 100.0):
        region = None  # section 6.3: such a cue leaves its region
    return (ANYWHERE._replace(**changes) if changes else ANYWHERE), region


_ALIGNS: Final = {str(align): align for align in Align} | {"middle": Align.CENTER}
_POSITION_EDGES: Final = {"line-left": Edge.START, "center": Edge.CENTER, "line-right": Edge.END}


def _line(value: str) -> dict[str, Any]:
    number, _, edge = value.partition(",")
    if edge not in ("", "start", "center", "end"):
        return {}
    changes: dict[str, Any] = {"line_edge": Edge(edge or "start")}
    if number.endswith("%"):
        percent = read_percent(number, -1.0)
        return changes | {"line": percent, "snaps_to_lines": False} if percent >= 0 else {}
    if re.fullmatch(r"-?[0-9]{1,6}(?:\.[0-9]{1,6})?", number):
        return changes | {"line": float(number), "snaps_to_lines": True}
    return {}
