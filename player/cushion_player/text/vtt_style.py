"""STYLE and REGION blocks of WebVTT (sections 3.3 and 8.2): the part of CSS that says how cues look.

Understood are `::cue`, `::cue(b)`, `::cue(.class)`, `::cue(c.class)`, `::cue(#id)`, `::cue(v[voice="Name"])` and
`::cue([lang="en"])`; colours, weight, slant, underline, size and visibility of the background. Later rules win.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from cushion_player.text.colours import read_colour
from cushion_player.text.cue import Colour, Edge, Region, Style

Changes: TypeAlias = dict[str, Any]
"""Fields of a Style by name."""
MAX_RULES: Final = 100
_COMMENT: Final = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_SELECTOR: Final = re.compile(
    r"""::cue(?:\(\s*(?P<tag>[a-z]*)(?:\#(?P<id>[^\s.\[\])]+))?(?P<classes>(?:\.[^\s.\[\])#]+)*)"""
    r"""(?:\[\s*(?P<attribute>voice|lang)\s*=\s*["']?(?P<value>[^"'\]]*)["']?\s*\])?\s*\))?"""
)
_LINE_HEIGHT: Final = 5.33
"""Percent of the picture's height that a line of a region takes (section 7.2: 5.33vh)."""

NO_BACKGROUND: Final = Colour(0, 0, 0, 0)
_COLOURS: Final = ("white", "lime", "cyan", "red", "yellow", "magenta", "blue", "black")


class Element(NamedTuple):
    """What a selector looks at: a tag of a cue's text, or the whole cue (tag "")."""

    tag: str = ""
    classes: tuple[str, ...] = ()
    id: str = ""
    voice: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One selector with what it changes. `is_universal`: plain `::cue`."""

    element: Element
    is_universal: bool
    changes: tuple[tuple[str, Any], ...]

    def fits(self, element: Element) -> bool:
        """Plain `::cue` and `#id` mean the whole cue; everything else a tag inside it."""
        wanted = self.element
        if self.is_universal:
            return element.tag == ""
        return (
            wanted.tag in ("", element.tag)
            and wanted.id in ("", element.id)
            and wanted.voice in ("", element.voice)
            and set(wanted.classes) <= set(element.classes)
            and element.language.lower().startswith(wanted.language.lower())
        )


def default_class_changes(classes: Iterable[str]) -> Changes:
    """What the classes that every reader knows mean (section 5): `yellow`, `bg_black` …"""
    changes: Changes = {}
    for name in classes:
        if name in _COLOURS:
            changes["colour"] = read_colour(name)
        elif name.startswith("bg_") and name[3:] in _COLOURS:
            changes["background"] = read_colour(name[3:])
    return changes


def styled(style: Style, element: Element, rules: Iterable[Rule]) -> Style:
    """`style` after all rules that fit."""
    for rule in rules:
        if rule.fits(element):
            style = style._replace(**dict(rule.changes))
    return style


def read_rules(css: str) -> list[Rule]:
    """The rules of a style sheet that are about cues; everything else is passed over."""
    rules: list[Rule] = []
    for block in _COMMENT.sub(" ", css).split("}"):
        selectors, _, body = block.partition("{")
        changes = tuple(_changes(body).items())
        for selector in selectors.split(",") if changes else ():
            found = _SELECTOR.fullmatch(selector.strip())
            if found is None or len(rules) >= MAX_RULES:
                continue
            value = found["value"] or ""
            element = Element(
                found["tag"] or "",
                tuple([name for name in (found["classes"] or "").split(".") if name]),
                found["id"] or "",
                value if found["attribute"] == "voice" else "",
                value if found["attribute"] == "lang" else "",
            )
            rules.append(Rule(element, element == Element(), changes))
    return rules


def _changes(body: str) -> Changes:
    changes: Changes = {}
    for declaration in body.split(";"):
        name, _, value = declaration.partition(":")
        name, value = name.strip().lower(), value.replace("!important", "").strip().lower()
        match name:
            case "color" | "background-color" | "background":
                colour = read_colour(value)
                if colour is not None:
                    changes["colour" if name == "color" else "background"] = colour
                elif value == "none":
                    changes["background"] = NO_BACKGROUND
            case "font-weight":
                changes["bold"] = value in ("bold", "bolder") or (value.isdecimal() and int(value[:5]) >= 600)
            case "font-style":
                changes["italic"] = value in ("italic", "oblique")
            case "text-decoration" | "text-decoration-line":
                changes["underline"] = "underline" in value
            case "font-size":
                size = _size(value)
                if size is not None:
                    changes["size"] = size
            case _:
                pass
    return changes


def _size(value: str) -> float | None:
    found = re.fullmatch(r"(\d{1,4}(?:\.\d{1,4})?)(em|rem|%)", value)
    if found is None:
        return None
    size = float(found[1]) / (100 if found[2] == "%" else 1)
    return min(max(size, 0.4), 4.0)


def read_region(settings: str) -> Region | None:
    """A REGION block's settings; None without an id."""
    name, width, lines, scrolls = "", 100.0, 3, False
    anchor, viewport = (0.0, 100.0), (0.0, 100.0)
    for setting in settings.split():
        key, _, value = setting.partition(":")
        match key:
            case "id":
                name = value
            case "width":
                width = read_percent(value, width)
            case "lines":
                lines = min(int(value), 100) if re.fullmatch(r"[0-9]{1,6}", value) else lines
            case "regionanchor":
                anchor = _point(value, anchor)
            case "viewportanchor":
                viewport = _point(value, viewport)
            case "scroll":
                scrolls = value == "up"
            case _:
                pass
    if not name:
        return None
    height = lines * _LINE_HEIGHT
    left, top = viewport[0] - anchor[0] * width / 100, viewport[1] - anchor[1] * height / 100
    return Region(name, round(left, 4), round(top, 4), width, round(height, 4), Edge.END, scrolls)


def read_percent(text: str, otherwise: float) -> float:
    """`12.5%` between 0 and 100."""
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)%", text)
    value = float(found[1]) if found else -1.0
    return value if 0 <= value <= 100 else otherwise


def _point(text: str, otherwise: tuple[float, float]) -> tuple[float, float]:
    x, _, y = text.partition(",")
    point = (read_percent(x, -1.0), read_percent(y, -1.0))
    return point if min(point) >= 0 else otherwise
