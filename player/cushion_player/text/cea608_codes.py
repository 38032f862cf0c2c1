"""The tables of CEA-608: characters, rows, colours."""

from __future__ import annotations

from typing import Final

from cushion_player.text.cue import Colour

_BASIC_EXCEPTIONS: Final = {
    0x27: "’", 0x2A: "á", 0x5C: "é", 0x5E: "í", 0x5F: "ó", 0x60: "ú", 0x7B: "ç", 0x7C: "÷", 0x7D: "Ñ", 0x7E: "ñ",
    0x7F: "█",
}  # fmt: skip
BASIC: Final = {code: _BASIC_EXCEPTIONS.get(code, chr(code)) for code in range(0x20, 0x80)}
"""Nearly ASCII."""
SPECIAL: Final = "®°½¿™¢£♪à\u00a0èâêîôû"
"""11 30 to 11 3F; 39 is a transparent space."""
EXTENDED: Final = {
    0x12: "ÁÉÓÚÜü‘¡*’—©℠•“”ÀÂÇÈÊËëÎÏïÔÙùÛ«»",
    0x13: "ÃãÍÌìÒòÕõ{}\\^_|~ÄäÖöß¥¤│ÅåØø┌┐└┘",
}
"""12 20 to 12 3F and 13 20 to 13 3F; each takes the place of the character before it."""

ROWS: Final = {0x10: (11, 11), 0x11: (1, 2), 0x12: (3, 4), 0x13: (12, 13), 0x14: (14, 15), 0x15: (5, 6), 0x16: (7, 8),
               0x17: (9, 10)}  # fmt: skip
"""First byte of a preamble address code -> its two rows, from 1; the second byte's bit 5 chooses."""

COLOURS: Final = (
    Colour(255, 255, 255),
    Colour(0, 255, 0),
    Colour(0, 0, 255),
    Colour(0, 255, 255),
    Colour(255, 0, 0),
    Colour(255, 255, 0),
    Colour(255, 0, 255),
)
BLACK: Final = Colour(0, 0, 0)
BACKGROUNDS: Final = (*COLOURS, BLACK)
