"""URL templates (5.3.9.4.4): $RepresentationID$, $Bandwidth$, $Number$, $Time$, $SubNumber$, with widths."""

from __future__ import annotations

import re

from cushion_player.errors import ManifestSyntaxError
from cushion_player.manifest.guard import Base

_IDENTIFIER = re.compile(r"\$(?:(RepresentationID|Bandwidth|Number|Time|SubNumber)(?:%0?(\d{0,3})([diuxXo]))?)?\$")
_FIELDS = {"Number": "0", "Time": "1", "SubNumber": "2"}
_MAX_WIDTH = 64


class Template:
    """A template with everything filled in but number, time and sub-number."""

    __slots__ = ("_format",)

    def __init__(self, text: str, base: Base, representation_id: str, bandwidth: int, where: str) -> None:
        """Raises ManifestError kinds when it leads to no URL that is allowed."""

        def fill(found: re.Match[str]) -> str:
            name, width, form = found.groups()
            if name == "RepresentationID":
                return representation_id
            if name == "Bandwidth":
                return f"{bandwidth:0{_width(width, where)}{_form(form)}}"
            return found.group(0)

        url = base.resolve(_IDENTIFIER.sub(fill, text), where)
        parts: list[str] = []
        at = 0
        for found in _IDENTIFIER.finditer(url):
            parts.append(_escape(url[at : found.start()]))
            at = found.end()
            name, width, form = found.groups()
            field = _FIELDS.get(name or "")
            parts.append("$" if field is None else f"{{{field}:0{_width(width, where)}{_form(form)}}}")
        parts.append(_escape(url[at:]))
        self._format = "".join(parts)

    def url(self, number: int, time: int, sub_number: int) -> str:
        return self._format.format(number, time, sub_number)


def _form(text: str | None) -> str:
    return text if text in ("x", "X", "o") else "d"


def _width(text: str | None, where: str) -> int:
    width = int(text or 1)
    if width > _MAX_WIDTH:
        raise ManifestSyntaxError(f"a template width of {width} digits", location=where)
    return max(1, width)


def _escape(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
