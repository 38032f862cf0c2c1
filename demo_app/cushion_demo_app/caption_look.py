"""How the viewer wants to read subtitles: what is chosen here goes before what a title says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cushion_player.text.cue import Colour

SIZES: Final = (("Small", 0.75), ("Normal", 1.0), ("Large", 1.4), ("Very large", 1.9))
COLOURS: Final = {
    "": "As the title has it",
    "white": "White",
    "yellow": "Yellow",
    "green": "Green",
    "cyan": "Cyan",
    "black": "Black",
}
BACKGROUNDS: Final = {
    "": "As the title has it",
    "none": "None, with a shadow",
    "black": "Black",
    "grey": "Grey",
    "white": "White",
    "blue": "Blue",
}
_VALUES: Final = {
    "white": Colour(255, 255, 255),
    "yellow": Colour(255, 235, 60),
    "green": Colour(90, 240, 110),
    "cyan": Colour(90, 235, 255),
    "black": Colour(0, 0, 0),
    "grey": Colour(60, 64, 70),
    "blue": Colour(16, 40, 120),
    "none": Colour(0, 0, 0, 0),
}


@dataclass(frozen=True, slots=True)
class CaptionLook:
    """size: of the letters, 1.0 as they come. colour, background: names of COLOURS and BACKGROUNDS; "" leaves them."""

    size: float = 1.0
    colour: str = ""
    background: str = ""

    def text_colour(self, said: Colour) -> Colour:
        """The colour of letters for which a title says `said`."""
        return _VALUES.get(self.colour, said)

    def back_colour(self, said: Colour | None) -> Colour | None:
        """The colour behind a line for which a title says `said`; None for none."""
        return _VALUES.get(self.background, said)

    @property
    def has_background(self) -> bool:
        """Whether the viewer chose one: then regions and windows of the title have none."""
        return self.background in _VALUES


def next_size(size: float, step: int) -> float:
    """One size larger (1) or smaller (-1); the same at either end."""
    sizes = [each for _, each in SIZES]
    others = [each for each in sizes if (each > size if step > 0 else each < size)]
    return size if not others else min(others) if step > 0 else max(others)
