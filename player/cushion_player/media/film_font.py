"""A 5 × 7 dot font, enough for timecodes and labels; no font files."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

GLYPH_COLUMNS = 5
GLYPH_ROWS = 7
ADVANCE_DOTS = 6
"""Width of a glyph and the gap after it."""

# Seven rows of five bits per glyph, the topmost first; the highest bit is the left dot.
_ROWS: dict[str, str] = {
    " ": "00000000000000", "0": "0E11131519110E", "1": "040C040404040E", "2": "0E11010204081F", "3": "1F02040201110E",
    "4": "02060A121F0202", "5": "1F101E0101110E", "6": "0608101E11110E", "7": "1F010204080808", "8": "0E11110E11110E",
    "9": "0E11110F01020C", "A": "0E11111F111111", "B": "1E11111E11111E", "C": "0E11101010110E", "D": "1C12111111121C",
    "E": "1F10101E10101F", "F": "1F10101E101010", "G": "0E11101711110F", "H": "1111111F111111", "I": "0E04040404040E",
    "J": "0702020202120C", "K": "11121418141211", "L": "1010101010101F", "M": "111B1515111111", "N": "11111915131111",
    "O": "0E11111111110E", "P": "1E11111E101010", "Q": "0E11111115120D", "R": "1E11111E141211", "S": "0F10100E01011E",
    "T": "1F040404040404", "U": "1111111111110E", "V": "11111111110A04", "W": "1111111515150A", "X": "11110A040A1111",
    "Y": "1111110A040404", "Z": "1F01020408101F", ":": "000C0C000C0C00", ".": "00000000000C0C", "/": "00010204081000",
    "-": "0000001F000000", "+": "0004041F040400",
}  # fmt: skip


@cache
def glyph(character: str, dot_px: int) -> NDArray[np.bool_]:
    """The dots of one character, (7 × dot_px, 6 × dot_px) bool; characters without a glyph are blank."""
    rows = bytes.fromhex(_ROWS.get(character.upper(), _ROWS[" "]))
    dots = np.array([[bool(row >> (4 - column) & 1) for column in range(GLYPH_COLUMNS)] for row in rows])
    padded = np.pad(dots, ((0, 0), (0, ADVANCE_DOTS - GLYPH_COLUMNS)))
    return np.kron(padded, np.ones((dot_px, dot_px), dtype=np.bool_)).astype(np.bool_)


def text_mask(text: str, dot_px: int) -> NDArray[np.bool_]:
    """The dots of a line of text, (7 × dot_px, len(text) × 6 × dot_px) bool."""
    return np.concatenate([glyph(character, dot_px) for character in text], axis=1)
