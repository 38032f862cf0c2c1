"""Colours as CSS and TTML write them."""

from __future__ import annotations

import re
from typing import Final

from cushion_player.text.cue import Colour

_NAMED: Final = {
    "transparent": "00000000", "black": "000000", "silver": "c0c0c0", "gray": "808080", "grey": "808080",
    "white": "ffffff", "maroon": "800000", "red": "ff0000", "purple": "800080", "fuchsia": "ff00ff",
    "magenta": "ff00ff", "green": "008000", "lime": "00ff00", "olive": "808000", "yellow": "ffff00", "navy": "000080",
    "blue": "0000ff", "teal": "008080", "aqua": "00ffff", "cyan": "00ffff", "orange": "ffa500", "pink": "ffc0cb",
    "brown": "a52a2a", "gold": "ffd700", "violet": "ee82ee", "indigo": "4b0082", "darkgray": "a9a9a9",
    "lightgray": "d3d3d3", "darkblue": "00008b", "darkgreen": "006400", "darkred": "8b0000", "lightblue": "add8e6",
    "lightgreen": "90ee90", "lightyellow": "ffffe0", "papayawhip": "ffefd5", "rebeccapurple": "663399",
}  # fmt: skip
_HEX: Final = re.compile(r"#([0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})")
_FUNCTION: Final = re.compile(r"rgba?\(([^)]{1,60})\)")


def read_colour(text: str, *, alpha_is_byte: bool = False) -> Colour | None:
    """A colour by name, `#rgb`, `#rrggbb`, with alpha, `rgb()` or `rgba()`; None for anything else.

    alpha_is_byte: the fourth number of `rgba()` is 0 to 255 (TTML), not 0 to 1 (CSS).
    """
    text = text.strip().lower()
    digits = _NAMED.get(text)
    if digits is None and (found := _HEX.fullmatch(text)):
        digits = found[1] if len(found[1]) >= 6 else "".join([digit * 2 for digit in found[1]])
    if digits is not None:
        return Colour(*bytes.fromhex(digits))
    function = _FUNCTION.fullmatch(text)
    if function is None:
        return None
    parts = re.split(r"[\s,/]+", function[1].strip())
    try:
        numbers = [_channel(part) for part in parts[:3]]
        if len(parts) == 4:
            is_share = not alpha_is_byte and not parts[3].endswith("%")
            numbers.append(_bounded(float(parts[3]) * 255) if is_share else _channel(parts[3]))
    except (ValueError, OverflowError):
        return None
    return Colour(*numbers) if len(parts) in (3, 4) else None


def _channel(text: str) -> int:
    return _bounded(float(text[:-1]) * 255 / 100 if text.endswith("%") else float(text))


def _bounded(value: float) -> int:
    return round(min(max(value, 0.0), 255.0))
