"""XML with its text in place: elements and characters in the order they were written, which TTML needs.

Refuses document types and entities, elements without number and nesting without end, while it reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from xml.parsers import expat

from cushion_player.errors import DecodeError
from cushion_player.text.reading import MAX_BYTES

MAX_ELEMENTS: Final = 200_000
MAX_DEPTH: Final = 64
MAX_ATTRIBUTES: Final = 64
_SPACE_NAMES: Final = {
    "styling": "tts", "parameter": "ttp", "style": "tts", "metadata": "ttm", "extension": "smpte",
    "namespace": "xml", "smpte-tt": "smpte",
}  # fmt: skip
"""The last part of a namespace -> the prefix by which attributes are called here, whatever the document calls it."""
_ENCODING: Final = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding=[\"']([A-Za-z0-9._-]{1,40})[\"']")


class Element:
    """An element by its local name. `attributes` are called `begin`, `tts:color`, `ttp:frameRate`, `xml:id` …"""

    __slots__ = ("attributes", "content", "name")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.content: list[Element | str] = []

    def get(self, name: str) -> str:
        return self.attributes.get(name, "")

    def elements(self, *names: str) -> Iterator[Element]:
        """Its child elements, of these names when any are given."""
        for item in self.content:
            if isinstance(item, Element) and (not names or item.name in names):
                yield item

    def walk(self, name: str) -> Iterator[Element]:
        """Every element of a name beneath it."""
        stack: list[Element] = [self]
        while stack:
            for item in stack.pop().elements():
                if item.name == name:
                    yield item
                stack.append(item)


def parse(data: bytes | str) -> Element:
    """The root element. Raises DecodeError with the line when it is no XML, hostile, or past a limit."""
    if len(data) > MAX_BYTES:
        raise DecodeError(f"a TTML document of more than {MAX_BYTES >> 20} MiB is not read")
    return _Builder().build(_utf8(data))


def _utf8(data: bytes | str) -> bytes:
    """The document as UTF-8: what expat reads fastest, and with no say about encodings."""
    if isinstance(data, bytes):
        encoding = "utf-8"
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            encoding = "utf-16"
        elif declared := _ENCODING.match(data[:256]):
            encoding = declared[1].decode("ascii")
        if encoding.lower() in ("utf-8", "utf8", "us-ascii"):
            return data.removeprefix(b"\xef\xbb\xbf").lstrip()
        try:
            data = data.decode(encoding, "replace")
        except LookupError as exc:
            raise DecodeError(f"not TTML: line 1 claims the encoding {encoding!r}, which nobody knows") from exc
    return data.removeprefix("\ufeff").lstrip().encode("utf-8", "replace")


class _Builder:
    def __init__(self) -> None:
        self.parser = parser = expat.ParserCreate("utf-8", "|")
        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.characters
        parser.StartDoctypeDeclHandler = self.refuse
        parser.EntityDeclHandler = self.refuse
        self.root = Element("", {})
        self.stack = [self.root]
        self.left = MAX_ELEMENTS
        self.names: dict[str, str] = {}

    def build(self, data: bytes) -> Element:
        try:
            self.parser.Parse(data, True)
        except expat.ExpatError as exc:
            reason = expat.errors.messages.get(exc.code, "it is broken")
            raise DecodeError(f"not TTML: line {exc.lineno}: {reason}") from exc
        except (ValueError, OverflowError) as exc:
            raise DecodeError(f"not TTML: line {self.parser.CurrentLineNumber}: {exc}") from exc
        return next(self.root.elements())

    def start(self, name: str, attributes: list[str]) -> None:
        self.left -= 1
        if self.left < 0 or len(self.stack) > MAX_DEPTH or len(attributes) > 2 * MAX_ATTRIBUTES:
            raise DecodeError(
                f"line {self.parser.CurrentLineNumber}: TTML with more than {MAX_ELEMENTS} elements, {MAX_DEPTH} of "
                f"them nested, or {MAX_ATTRIBUTES} attributes of one is not read"
            )
        names = iter(attributes)
        element = Element(
            name.rpartition("|")[2], {self.short(key): value for key, value in zip(names, names, strict=True)}
        )
        self.stack[-1].content.append(element)
        self.stack.append(element)

    def end(self, _: str) -> None:
        self.stack.pop()

    def characters(self, text: str) -> None:
        self.stack[-1].content.append(text)

    def refuse(self, *_: object) -> None:
        raise DecodeError(f"line {self.parser.CurrentLineNumber}: document types and entities are refused in TTML")

    def short(self, key: str) -> str:
        """An attribute's name with our prefix for its namespace."""
        known = self.names.get(key)
        if known is None:
            space, _, local = key.rpartition("|")
            last = re.split(r"[#/:]", space)[-1]
            prefix = _SPACE_NAMES.get(last, "other") if space else ""
            known = self.names[key] = f"{prefix}:{local}" if prefix else local
        return known
