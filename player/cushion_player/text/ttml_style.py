"""Styles and regions of TTML: what is inherited, what is referred to, and what it comes to on the picture.

Source: TTML2 sections 8 and 9, IMSC 1.1. Of the lengths: percent, pixels, cells, `rw` and `rh`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from cushion_player.text.colours import read_colour
from cushion_player.text.cue import Align, Colour, Edge, Region, Style, Vertical
from cushion_player.text.ttml_xml import Element

Properties = dict[str, str]

_INHERITED: Final = frozenset({
    "tts:color", "tts:fontSize", "tts:fontStyle", "tts:fontWeight", "tts:textDecoration", "tts:textAlign",
    "tts:visibility", "tts:forcedDisplay", "tts:direction",
})  # fmt: skip
_LENGTH: Final = re.compile(r"([+-]?[0-9]{1,9}(?:\.[0-9]{1,9})?)(%|px|c|em|rw|rh)")
_ALIGNS: Final = {str(align): align for align in Align} | {"justify": Align.START}
_STACKS: Final = {"before": Edge.START, "center": Edge.CENTER, "after": Edge.END, "justify": Edge.START}
_DEFAULT_REGION: Final = Region("", 10.0, 10.0, 80.0, 80.0, Edge.END)
"""Where a document without regions is shown: its bottom, inside the safe area."""
_MAX_REFERENCES: Final = 32


@dataclass(frozen=True, slots=True)
class Frame:
    """What lengths are relative to: the root container in pixels, and its grid of cells."""

    width_px: float = 0.0
    height_px: float = 0.0
    columns: int = 32
    rows: int = 15

    @staticmethod
    def of(root: Element) -> Frame:
        extent = [_LENGTH.fullmatch(part) for part in root.get("tts:extent").split()]
        sizes = [float(part[1]) for part in extent if part and part[2] == "px" and float(part[1]) > 0]
        cells = re.fullmatch(r"\s*([0-9]{1,4})\s+([0-9]{1,4})\s*", root.get("ttp:cellResolution"))
        columns, rows = (int(cells[1]) or 32, int(cells[2]) or 15) if cells else (32, 15)
        return Frame(sizes[0], sizes[1], columns, rows) if len(sizes) == 2 else Frame(0.0, 0.0, columns, rows)

    def percent(self, text: str, *, is_height: bool) -> float | None:
        """A length as percent of the root container's width or height."""
        found = _LENGTH.fullmatch(text)
        if found is None:
            return None
        value, whole = float(found[1]), self.height_px if is_height else self.width_px
        match found[2]:
            case "%" | "rw" | "rh":
                return value
            case "px":
                return value / whole * 100 if whole else None
            case "c":
                return value / (self.rows if is_height else self.columns) * 100
            case _:
                return None

    def pair(self, text: str) -> tuple[float, float] | None:
        """`x y` as percent."""
        parts = text.split()
        if len(parts) != 2:
            return None
        x, y = self.percent(parts[0], is_height=False), self.percent(parts[1], is_height=True)
        return (x, y) if x is not None and y is not None else None

    def font_size(self, text: str, outer: float) -> float:
        """A font size relative to the default one, which is a cell high."""
        parts = text.split()
        found = _LENGTH.fullmatch(parts[-1]) if parts else None
        if found is None:
            return outer
        value = float(found[1])
        match found[2]:
            case "%":
                size = outer * value / 100
            case "em":
                size = outer * value
            case "c":
                size = value
            case "px":
                size = value / self.height_px * 15 if self.height_px else outer
            case _:
                size = value / 100 * 15
        return min(max(size, 0.4), 4.0)


@dataclass(slots=True)
class Styling:
    """The styles of a document by id, and its regions."""

    frame: Frame
    styles: dict[str, Properties] = field(default_factory=dict[str, Properties])
    regions: dict[str, Region] = field(default_factory=dict[str, Region])
    region_styles: dict[str, Properties] = field(default_factory=dict[str, Properties])

    @staticmethod
    def of(root: Element) -> Styling:
        styling = Styling(Frame.of(root))
        found = {
            element.get("xml:id"): element
            for styles in root.walk("styling")
            for element in styles.elements("style")
            if element.get("xml:id")
        }
        for name in found:
            styling._resolve(name, found, [])
        for layout in root.walk("layout"):
            for element in layout.elements("region"):
                styling._add_region(element)
        return styling

    def _resolve(self, name: str, elements: dict[str, Element], path: list[str]) -> Properties:
        """The properties of a style and those it refers to; a circle ends where it closes."""
        done = self.styles.get(name)
        element = elements.get(name)
        if done is not None or element is None or name in path or len(path) > _MAX_REFERENCES:
            return done or {}
        properties: Properties = {}
        for reference in element.get("style").split()[:_MAX_REFERENCES]:
            properties.update(self._resolve(reference, elements, [*path, name]))
        properties.update(_own(element))
        self.styles[name] = properties
        return properties

    def specified(self, element: Element) -> Properties:
        """What is said of an element itself: by reference, by `style` children, by its attributes."""
        properties: Properties = {}
        references = element.get("style")
        if references:
            for reference in references.split()[:_MAX_REFERENCES]:
                properties.update(self.styles.get(reference, {}))
        if element.name == "region":
            for child in element.elements("style"):
                properties.update(self.specified(child))
        properties.update(_own(element))
        return properties

    def computed(self, element: Element, outer: Properties) -> Properties:
        """What holds for an element inside one that has `outer`. Font sizes come out as numbers of the default."""
        properties = {name: value for name, value in outer.items() if name in _INHERITED}
        own = self.specified(element)
        if not own:
            return properties
        properties.update(own)
        if "tts:fontSize" in own:
            size = self.frame.font_size(own["tts:fontSize"], _size(outer))
            properties["tts:fontSize"] = f"{size:.4f}"
        return properties

    def _add_region(self, element: Element) -> None:
        name = element.get("xml:id")
        if not name or name in self.regions:
            return
        properties = self.computed(element, {})
        left, top = self.frame.pair(properties.get("tts:origin", "")) or (0.0, 0.0)
        said = self.frame.pair(properties.get("tts:extent", ""))
        width, height = said or (100.0 - left, 100.0 - top)
        region = Region(
            name,
            _bounded(left),
            _bounded(top),
            max(_bounded(width), 0.0),
            max(_bounded(height), 0.0),
            stack=_STACKS.get(properties.get("tts:displayAlign", "before"), Edge.START),
            background=background(properties) if said else None,  # not over all of a picture by mistake
        )
        self.regions[name] = region
        self.region_styles[name] = properties

    def inherited(self, name: str) -> Properties:
        """What a paragraph has of its region where nothing in the body says otherwise."""
        return {key: value for key, value in self.region_styles.get(name, {}).items() if key in _INHERITED}

    def is_absent(self, properties: Properties, region: str) -> bool:
        """Whether an element, or the region it lies in, is not displayed at all."""
        return "none" in (properties.get("tts:display"), self.region_styles.get(region, {}).get("tts:display"))

    def region(self, name: str) -> Region:
        """The region of a name; the default one for a document that has none."""
        return self.regions.get(name, _DEFAULT_REGION)


def _bounded(percent: float) -> float:
    return round(min(max(percent, -100.0), 200.0), 4)


def _own(element: Element) -> Properties:
    return {name: value for name, value in element.attributes.items() if name.startswith("tts:")}


def _size(properties: Properties) -> float:
    text = properties.get("tts:fontSize", "")
    return float(text) if re.fullmatch(r"[0-9]{1,4}\.[0-9]{4}", text) else 1.0


def text_style(properties: Properties) -> Style:
    """How a run of text looks."""
    return Style(
        bold=properties.get("tts:fontWeight") == "bold",
        italic=properties.get("tts:fontStyle") in ("italic", "oblique"),
        underline="underline" in properties.get("tts:textDecoration", "").split(),
        colour=_colour(properties.get("tts:color", "")),
        background=background(properties),
        size=_size(properties),
    )


def background(properties: Properties) -> Colour | None:
    """What is behind an element."""
    return _colour(properties.get("tts:backgroundColor", ""))


@lru_cache(maxsize=256)
def _colour(text: str) -> Colour | None:
    return read_colour(text, alpha_is_byte=True) if text else None


def text_align(properties: Properties) -> Align:
    """How a paragraph's lines lie."""
    return _ALIGNS.get(properties.get("tts:textAlign", "start"), Align.START)


def writing(properties: Properties) -> Vertical:
    """Whether a region is written in columns."""
    mode = properties.get("tts:writingMode", "")
    return Vertical.RL if mode in ("tbrl", "tb") else Vertical.LR if mode == "tblr" else Vertical.NONE
