"""Small helpers over ElementTree for MPDs: names without namespaces, and numbers that may be wrong."""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError, XMLParser

from cushion_player.errors import ManifestSyntaxError
from cushion_player.manifest.reading import Notes

MAX_DIGITS = 20


def parse_xml(text: str) -> Element:
    """The root of a document that `guard` let in. Raises ManifestSyntaxError with line and column."""
    parser = XMLParser()
    try:
        parser.feed(text.lstrip())
        return parser.close()
    except ParseError as exc:
        line, column = exc.position
        line += text[: len(text) - len(text.lstrip())].count("\n")
        reason = str(exc).split(":")[0]
        raise ManifestSyntaxError(
            f"not well-formed XML: {reason}", location=f"line {line}, column {column + 1}"
        ) from exc
    except (ValueError, OverflowError, UnicodeError) as exc:
        raise ManifestSyntaxError(f"not well-formed XML: {exc}") from exc


def name_of(element: Element) -> str:
    """The local name, whatever the namespace."""
    tag = element.tag
    return tag.rsplit("}", 1)[-1] if "}" in tag else tag.rsplit(":", 1)[-1]


def children(element: Element, name: str) -> list[Element]:
    return [found for found in element if found.tag.endswith(name) and name_of(found) == name]


def child(element: Element, name: str) -> Element | None:
    return next((found for found in element if found.tag.endswith(name) and name_of(found) == name), None)


def attribute(element: Element, name: str) -> str | None:
    """An attribute by local name (`href` of xlink)."""
    plain = element.attrib.get(name)
    if plain is not None:
        return plain
    return next((value for key, value in element.attrib.items() if key.rsplit("}", 1)[-1] == name), None)


def integer(element: Element, name: str, notes: Notes, where: str, default: int = 0) -> int:
    """A whole number; what is none is noted and read as `default`."""
    text = element.attrib.get(name)
    if text is None:
        return default
    try:
        if len(text) > MAX_DIGITS:
            raise ValueError(text)
        return int(text)
    except ValueError:
        notes.repair(f"{text[:40]!r} was read as {default}", f"{where}@{name}", "it is no whole number")
        return default
