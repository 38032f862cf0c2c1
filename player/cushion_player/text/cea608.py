"""CEA-608 line 21 captions: CC1 to CC4, pop-on, roll-up and paint-on, as screens.

Source: CEA-608-E (47 CFR 79.101). Text mode and XDS are passed over. Parity is not checked: transport has its own
checks, and some encoders leave the bit out.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from cushion_player.text.cea608_codes import BACKGROUNDS, BASIC, BLACK, COLOURS, EXTENDED, ROWS, SPECIAL
from cushion_player.text.cue import NEVER_US, PLAIN, Align, Colour, Cue, Edge, Placement, Span, Style

N_ROWS: Final = 15
N_COLUMNS: Final = 32
_DEFAULT: Final = Style(colour=COLOURS[0])


class _Mode(Enum):
    NONE = "none"
    POP_ON = "pop-on"
    ROLL_UP = "roll-up"
    PAINT_ON = "paint-on"
    TEXT = "text"


class _Cell(NamedTuple):
    text: str
    style: Style


_Row = dict[int, _Cell]
_Memory = dict[int, _Row]
"""Rows from 1, columns from 0."""


class Cea608Channel:
    """The caption memories of one channel and the pen that writes them."""

    def __init__(self) -> None:
        self._shown: _Memory = {}
        self._hidden: _Memory = {}
        self._mode = _Mode.NONE
        self._row, self._column = N_ROWS, 0
        self._style = _DEFAULT
        self._height = 2
        """Rows of a roll-up."""

    def cues(self, start_us: int) -> tuple[Cue, ...]:
        """What is on the picture: a cue for each block of neighbouring rows."""
        blocks: list[list[int]] = []
        for row in sorted(row for row, cells in self._shown.items() if _is_inked(cells)):
            if blocks and blocks[-1][-1] == row - 1:
                blocks[-1].append(row)
            else:
                blocks.append([row])
        return tuple([_cue(start_us, self._shown, rows) for rows in blocks])

    # ------------------------------------------------------------------ writing

    @property
    def _memory(self) -> _Memory:
        return self._hidden if self._mode is _Mode.POP_ON else self._shown

    @property
    def _is_deaf(self) -> bool:
        return self._mode in (_Mode.NONE, _Mode.TEXT)

    def write(self, text: str) -> None:
        """Put a character where the pen is; at the right edge each takes the place of the last."""
        if self._is_deaf:
            return
        self._memory.setdefault(self._row, {})[self._column] = _Cell(text, self._style)
        self._column = min(self._column + 1, N_COLUMNS - 1)

    def write_over(self, text: str) -> None:
        """An extended character: the one before it was there for older decoders."""
        self.backspace()
        self.write(text)

    def backspace(self) -> None:
        if not self._is_deaf:
            row = self._memory.get(self._row, {})
            at_edge = self._column == N_COLUMNS - 1 and self._column in row
            self._column = self._column if at_edge else max(self._column - 1, 0)
            row.pop(self._column, None)

    # ------------------------------------------------------------------ control codes

    def address(self, row: int, bits: int) -> None:
        """A preamble address code: a row, and an indent or looks."""
        if self._mode is _Mode.ROLL_UP and row != self._row:
            self._move_window(row)
        self._row = row
        kind = (bits >> 1) & 0xF
        colour = COLOURS[kind] if kind < len(COLOURS) else COLOURS[0]
        self._style = Style(italic=kind == 7, underline=bool(bits & 1), colour=colour)
        self._column = (kind - 8) * 4 if kind >= 8 else 0

    def _move_window(self, row: int) -> None:
        base = max(row, self._height)
        lines = [self._shown.get(self._row - up, {}) for up in range(self._height)]
        self._shown.clear()
        self._shown.update({base - up: cells for up, cells in enumerate(lines) if cells})

    def mid_row(self, bits: int) -> None:
        """New looks from here on; the code itself takes the place of a space."""
        kind = bits >> 1
        colour = self._style.colour if kind == 7 else COLOURS[kind]
        self._style = self._style._replace(
            colour=colour, italic=kind == 7, underline=bool(bits & 1), flashes=False, background=self._style.background
        )
        self.write(" ")

    def tab(self, columns: int) -> None:
        self._column = min(self._column + columns, N_COLUMNS - 1)

    def background(self, bits: int) -> None:
        """The space before it was there for older decoders."""
        colour: Colour = BACKGROUNDS[bits >> 1]
        self._restyle(background=colour._replace(alpha=128 if bits & 1 else 255))

    def no_background(self) -> None:
        self._restyle(background=Colour(0, 0, 0, 0))

    def black(self, underline: bool) -> None:
        self._restyle(colour=BLACK, underline=underline)

    def _restyle(self, **changes: Colour | bool) -> None:
        self.backspace()
        self._style = self._style._replace(**changes)  # type: ignore[arg-type]  # each caller passes its own field
        self.write(" ")

    def command(self, code: int) -> None:
        """The miscellaneous control codes, by their second byte."""
        match code:
            case 0x20:
                self._mode = _Mode.POP_ON
            case 0x21:
                self.backspace()
            case 0x24:
                row = self._memory.get(self._row, {})
                for column in [column for column in row if column >= self._column]:
                    del row[column]
            case 0x25 | 0x26 | 0x27:
                self._roll_up(code - 0x23)
            case 0x28:
                self._style = self._style._replace(flashes=True)
                self.write(" ")
            case 0x29:
                self._mode = _Mode.PAINT_ON
            case 0x2A | 0x2B:
                self._mode = _Mode.TEXT
            case 0x2C:
                self._shown = {}
            case 0x2D:
                self._carriage_return()
            case 0x2E:
                self._hidden = {}
            case 0x2F:
                self._shown, self._hidden = self._hidden, self._shown
                self._mode = _Mode.POP_ON
                self._style = _DEFAULT
            case _:
                pass  # AOF and AON, which nobody uses

    def _roll_up(self, height: int) -> None:
        if self._mode is not _Mode.ROLL_UP:
            self._shown, self._hidden = {}, {}
            self._row, self._column = N_ROWS, 0
        self._mode, self._height = _Mode.ROLL_UP, height
        self._row = max(self._row, height)
        self._keep_window()

    def _carriage_return(self) -> None:
        if self._mode is not _Mode.ROLL_UP:
            return
        self._shown = {row - 1: cells for row, cells in self._shown.items() if row > 1}
        self._column = 0
        self._style = _DEFAULT
        self._keep_window()

    def _keep_window(self) -> None:
        """Rows that rolled out of the window are gone."""
        top = self._row - self._height + 1
        self._shown = {row: cells for row, cells in self._shown.items() if top <= row <= self._row}


def _is_inked(cells: _Row) -> bool:
    return any(cell.text.strip() for cell in cells.values())


def _cue(start_us: int, memory: _Memory, rows: list[int]) -> Cue:
    """Rows as lines of one cue: it begins at the leftmost column, lines further right begin with spaces."""
    inked = {row: [column for column, cell in memory[row].items() if cell.text.strip()] for row in rows}
    left = min(min(columns) for columns in inked.values())
    spans: list[Span] = []
    for row in rows:
        if spans:
            _append(spans, "\n", PLAIN)
        cells = memory[row]
        for column in range(left, max(inked[row]) + 1):
            cell = cells.get(column)
            _append(spans, cell.text if cell else " ", cell.style if cell else PLAIN)
    placement = Placement(
        line=round(10 + (rows[0] - 1) * 80 / N_ROWS, 3),
        snaps_to_lines=False,
        line_edge=Edge.START,
        position=round(10 + left * 80 / N_COLUMNS, 3),
        position_edge=Edge.START,
        align=Align.LEFT,
    )
    return Cue(start_us, NEVER_US, tuple(spans), "", placement)


def _append(spans: list[Span], text: str, style: Style) -> None:
    """Spaces take the looks around them, unless they would be seen."""
    if spans and (spans[-1].style == style or (not text.strip() and not style.background and not style.underline)):
        spans[-1] = spans[-1]._replace(text=spans[-1].text + text)
    else:
        spans.append(Span(text, style))


class Cea608Field:
    """One field's pairs of bytes, for its two channels (0 and 1)."""

    def __init__(self) -> None:
        self.channels = (Cea608Channel(), Cea608Channel())
        self._chosen = 0
        self._last_control: tuple[int, int] | None = None
        self._is_xds = False

    def feed(self, first: int, second: int) -> None:
        """A pair of bytes, with or without parity."""
        first, second = first & 0x7F, second & 0x7F
        if first == second == 0:
            return
        if 0x10 <= first <= 0x1F:
            self._is_xds = False
            if self._last_control == (first, second):
                self._last_control = None  # control codes are sent twice
                return
            self._last_control = (first, second)
            self._chosen = first >> 3 & 1
            _obey(self.channels[self._chosen], first & 0x17, second)
            return
        self._last_control = None
        if 0 < first < 0x10:
            self._is_xds = first != 0x0F  # 0F ends a packet of XDS; captions go on with a control code
        if self._is_xds or first == 0x0F:
            return
        for code in (first, second):
            if code >= 0x20:
                self.channels[self._chosen].write(BASIC[code])


def _obey(channel: Cea608Channel, first: int, second: int) -> None:
    if second >= 0x40:
        rows = ROWS[first]
        if first != 0x10 or second < 0x60:
            channel.address(rows[second >> 5 & 1], second & 0x1F)
    elif second < 0x20:
        return
    elif first == 0x11:
        if second < 0x30:
            channel.mid_row(second & 0xF)
        else:
            channel.write(SPECIAL[second & 0xF])
    elif first in EXTENDED:
        channel.write_over(EXTENDED[first][second & 0x1F])
    elif first in (0x14, 0x15) and second < 0x30:
        channel.command(second)
    elif first == 0x10 and second < 0x30:
        channel.background(second & 0xF)
    elif first == 0x17:
        if 0x21 <= second <= 0x23:
            channel.tab(second & 3)
        elif second == 0x2D:
            channel.no_background()
        elif second in (0x2E, 0x2F):
            channel.black(underline=second == 0x2F)
