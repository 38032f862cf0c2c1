"""One window of a CEA-708 service: its cells, its pen, and how it becomes a cue."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from cushion_player.text.cue import NEVER_US, Align, Colour, Cue, Edge, Placement, Span, Style

MAX_ROWS: Final = 15
MAX_COLUMNS: Final = 42
_BLACK: Final = Colour(0, 0, 0)
_WHITE: Final = Colour(255, 255, 255)
_CLEAR: Final = Colour(0, 0, 0, 0)
_EDGES: Final = (Edge.START, Edge.CENTER, Edge.END)
_JUSTIFIED: Final = (Align.LEFT, Align.RIGHT, Align.CENTER, Align.LEFT)
_SIZES: Final = (0.8, 1.0, 1.25, 1.0)
_DEFAULT_PEN: Final = Style(colour=_WHITE, background=_BLACK)
_GRID: Final = (210, 75)
"""Anchors count in this many steps across and down the safe area of a wide picture."""


class _Cell(NamedTuple):
    text: str
    style: Style


def colour_of(byte: int) -> Colour:
    """Opacity, red, green, blue in two bits each; opacity 0 solid, 1 flashing, 2 translucent, 3 transparent."""
    red, green, blue = [(byte >> shift & 3) * 85 for shift in (4, 2, 0)]
    return Colour(red, green, blue, (255, 255, 128, 0)[byte >> 6 & 3])


@dataclass(slots=True)
class Window:
    """Its text is kept by row and column; what is written beyond its size rolls or is lost."""

    is_visible: bool = False
    priority: int = 0
    anchor: int = 0
    """Which point of the window lies at `at`: 0 top left, 1 top centre … 8 bottom right."""
    at: tuple[float, float] = (0.0, 0.0)
    """Percent of the picture."""
    n_rows: int = 1
    align: Align = Align.LEFT
    fill: Colour | None = None
    pen: Style = _DEFAULT_PEN
    row: int = 0
    column: int = 0
    rows: dict[int, dict[int, _Cell]] = field(default_factory=dict[int, dict[int, _Cell]])

    def define(self, parameters: bytes, is_new: bool) -> None:
        """DefineWindow (8.10.5.2), six bytes."""
        flags, vertical, horizontal, sizes, _, styles = parameters
        self.is_visible = bool(flags & 0x20)
        self.priority = flags & 7
        x, y = float(horizontal), float(vertical & 0x7F)
        if not vertical & 0x80:
            x, y = x / _GRID[0] * 100, y / _GRID[1] * 100
        self.at = (round(10 + min(x, 100.0) * 0.8, 3), round(10 + min(y, 100.0) * 0.8, 3))
        self.anchor = min(sizes >> 4, 8)
        self.n_rows = min((sizes & 0xF) + 1, MAX_ROWS)
        window_style, pen_style = styles >> 3 & 7, styles & 7
        if window_style or is_new:
            self.align = Align.CENTER if window_style in (3, 6) else Align.LEFT
            self.fill = None if window_style in (0, 2, 5) else _BLACK
        if pen_style or is_new:
            self.pen = _DEFAULT_PEN._replace(background=_CLEAR) if pen_style in (6, 7) else _DEFAULT_PEN
        if is_new:
            self.clear()
        self._roll()

    def set_attributes(self, parameters: bytes) -> None:
        """SetWindowAttributes (8.10.5.8), four bytes; borders and effects are not drawn."""
        fill, _, layout, _ = parameters
        colour = colour_of(fill)
        self.fill = colour if colour.alpha else None
        self.align = _JUSTIFIED[layout & 3]

    def set_pen_attributes(self, parameters: bytes) -> None:
        """SetPenAttributes (8.10.5.9), two bytes; font and edge are the viewer's own."""
        size, looks = parameters
        self.pen = self.pen._replace(italic=bool(looks & 0x80), underline=bool(looks & 0x40), size=_SIZES[size & 3])

    def set_pen_colour(self, parameters: bytes) -> None:
        """SetPenColor (8.10.5.10), three bytes: foreground, background, edge."""
        foreground, background, _ = parameters
        self.pen = self.pen._replace(
            colour=colour_of(foreground), background=colour_of(background), flashes=foreground >> 6 == 1
        )

    def move_pen(self, row: int, column: int) -> None:
        self.row, self.column = min(row, MAX_ROWS - 1), min(column, MAX_COLUMNS - 1)

    def write(self, text: str) -> None:
        self._roll()
        if self.column < MAX_COLUMNS:
            self.rows.setdefault(self.row, {})[self.column] = _Cell(text, self.pen)
            self.column += 1

    def backspace(self) -> None:
        self.column = max(self.column - 1, 0)
        self.rows.get(self.row, {}).pop(self.column, None)

    def carriage_return(self) -> None:
        self.row, self.column = self.row + 1, 0
        self._roll()

    def clear_row(self) -> None:
        self.rows.pop(self.row, None)
        self.column = 0

    def clear(self) -> None:
        self.rows.clear()
        self.row = self.column = 0

    def _roll(self) -> None:
        """Lines move up until the pen is inside."""
        over = self.row - self.n_rows + 1
        if over > 0:
            self.rows = {row - over: cells for row, cells in self.rows.items() if row >= over}
            self.row -= over

    def cue(self, start_us: int) -> Cue | None:
        """What it shows from now on; None when that is nothing."""
        inked = [row for row, cells in self.rows.items() if any(cell.text.strip() for cell in cells.values())]
        if not self.is_visible or not inked:
            return None
        vertical, horizontal = _EDGES[self.anchor // 3], _EDGES[self.anchor % 3]
        first = 0 if vertical is Edge.START else min(inked)
        spans: list[Span] = []
        for row in range(first, max(inked) + 1):
            if row > first:
                _append(spans, "\n", None)
            cells = self.rows.get(row, {})
            for column in range(max(cells, default=-1) + 1):
                cell = cells.get(column)
                _append(spans, cell.text if cell else " ", cell.style if cell else None)
        placement = Placement(
            line=self.at[1],
            snaps_to_lines=False,
            line_edge=vertical,
            position=self.at[0],
            position_edge=horizontal,
            size=0.0,
            align=self.align,
        )
        return Cue(start_us, NEVER_US, tuple(spans), "", placement, window=self.fill)


def _append(spans: list[Span], text: str, style: Style | None) -> None:
    if spans and style in (None, spans[-1].style):
        spans[-1] = spans[-1]._replace(text=spans[-1].text + text)
    else:
        spans.append(Span(text, style or Style()))
