"""Where cues lie on the picture: arithmetic on WebVTT's placements and regions, no fonts, no widgets.

Columns of vertical scripts are laid out as lines: there is no text engine for them here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from cushion_demo_app.geometry import Box
from cushion_player.text import Align, Cue, Edge, Placement, Region

LINE_SHARE = 0.0533
"""Height of a line, of the picture's: WebVTT counts lines in it, and fifteen of them fill the safe area of CEA-608."""
_MARGIN_SHARE = 0.03
_SIDE_PERCENT = 3.0

Measure = Callable[[Cue, int], tuple[int, int]]
"""(cue, room) -> (width of its longest line, height): of the text when lines are broken at `room` pixels."""


class Placed(NamedTuple):
    """A cue, and the box its lines lie in; inside it they follow the cue's own alignment."""

    cue: Cue
    box: Box


def place(cues: Sequence[Cue], width: int, height: int, measure: Measure, *, bottom_inset: int = 0) -> list[Placed]:
    """Where each cue lies in a picture of this size. bottom_inset: pixels at its bottom that something else covers.

    Cues without a line of their own stack up from the bottom; those that have one give way upwards, or downwards in
    the upper half, to those before them.
    """
    stage = _Stage(width, height, measure, bottom_inset)
    for cue in cues:
        if cue.region is not None:
            stage.put_in_region(cue)
        else:
            stage.put(cue)
    return stage.placed


def align_of(placement: Placement) -> Align:
    """left, center or right: the text of a cue is taken to run from left to right."""
    return {Align.START: Align.LEFT, Align.END: Align.RIGHT}.get(placement.align, placement.align)


def region_box(region: Region, width: int, height: int, bottom_inset: int = 0) -> Box:
    """Where a region lies; pushed up where its bottom is covered."""
    left, top = round(region.left * width / 100), round(region.top * height / 100)
    high = round(region.height * height / 100)
    if bottom_inset:
        top = max(min(top, height - bottom_inset - high), 0)
    return Box(left, top, round(region.width * width / 100), high)


class _Stage:
    def __init__(self, width: int, height: int, measure: Measure, bottom_inset: int) -> None:
        self.width = width
        self.height = height
        self.measure = measure
        self.bottom_inset = bottom_inset
        self.top = round(height * _MARGIN_SHARE)
        self.bottom = height - max(round(height * _MARGIN_SHARE), bottom_inset)
        self.placed: list[Placed] = []
        self._filled: dict[object, int] = {}
        """How many pixels of each region have lines."""

    def put_in_region(self, cue: Cue) -> None:
        """Lines gather at the region's top, middle or bottom, in order."""
        region = cue.region
        assert region is not None
        left, room = self._across(region.left, region.left + region.width)
        _, high = self.measure(cue, room)
        _, top, _, whole = region_box(region, self.width, self.height, self.bottom_inset)
        filled = self._filled.get(region, 0)
        self._filled[region] = filled + high
        if region.stack is Edge.END:
            # The cue that came first stands above the one that came after it.
            for index, other in enumerate(self.placed):
                if other.cue.region == region:
                    self.placed[index] = Placed(
                        other.cue, other.box._replace(y=self._inside(other.box.y - high, other.box.height))
                    )
            y = top + whole - high
        elif region.stack is Edge.CENTER:
            self._push_up(region, high // 2)
            y = top + (whole - high - filled) // 2 + filled
        else:
            y = top + filled
        self.placed.append(Placed(cue, Box(left, self._inside(y, high), room, high)))

    def _push_up(self, region: Region, by_px: int) -> None:
        """Make room in a region: the cue that came first stands above the one that comes after it."""
        for index, (cue, box) in enumerate(self.placed):
            if cue.region == region:
                self.placed[index] = Placed(cue, box._replace(y=self._inside(box.y - by_px, box.height)))

    def put(self, cue: Cue) -> None:
        placement = cue.placement
        left, room = self._column(cue)
        _, high = self.measure(cue, room)
        if placement.line is None:
            y = self._free(Box(left, self.bottom - high, room, high), up=True)
        elif placement.snaps_to_lines:
            line = self.height * LINE_SHARE
            whole = placement.line * line + (self.height if placement.line < 0 else 0)
            y = self._inside(round(whole), high)
            y = self._free(Box(left, y, room, high), up=y + high / 2 > self.height / 2)
        else:
            before = {Edge.START: 0, Edge.CENTER: high // 2, Edge.END: high}[placement.line_edge]
            y = self._inside(round(placement.line * self.height / 100) - before, high)
        self.placed.append(Placed(cue, Box(left, y, room, high)))

    def _column(self, cue: Cue) -> tuple[int, int]:
        """Where the lines begin and how much room they have (WebVTT 7.2, steps on size and position)."""
        placement = cue.placement
        align = align_of(placement)
        position = placement.position
        if position is None:
            position = {Align.LEFT: 0.0, Align.RIGHT: 100.0}.get(align, 50.0)
        edge = placement.position_edge or {Align.LEFT: Edge.START, Align.RIGHT: Edge.END}.get(align, Edge.CENTER)
        most = {Edge.START: 100 - position, Edge.END: position}.get(edge, 2 * min(position, 100 - position))
        size = min(placement.size or 100.0, most)
        if not placement.size:
            natural, _ = self.measure(cue, max(round(most * self.width / 100), 1))
            size = min(most, 100 * natural / max(self.width, 1))
        left = {Edge.START: position, Edge.END: position - size}.get(edge, position - size / 2)
        return self._across(left, left + size)

    def _across(self, left: float, right: float) -> tuple[int, int]:
        """Percent as pixels, kept off the picture's sides."""
        left = min(max(left, _SIDE_PERCENT), 100 - 2 * _SIDE_PERCENT)
        right = min(max(right, left + _SIDE_PERCENT), 100 - _SIDE_PERCENT)
        start = round(left * self.width / 100)
        return start, max(round(right * self.width / 100) - start, 1)

    def _inside(self, y: int, high: int) -> int:
        return max(min(y, self.bottom - high), self.top)

    def _free(self, box: Box, *, up: bool) -> int:
        """The nearest y in a direction where nothing else lies; its own when there is none."""
        y = box.y
        for _ in self.placed:
            other = next((each.box for each in self.placed if _overlap(box._replace(y=y), each.box)), None)
            if other is None:
                break
            y = other.y - box.height if up else other.y + other.height
        return y if self.top <= y <= self.bottom - box.height else box.y


def _overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )
