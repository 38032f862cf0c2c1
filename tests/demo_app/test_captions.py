"""Cues over the picture: where they lie, and that they are painted."""

from __future__ import annotations

import threading
from fractions import Fraction

import numpy as np
import pytest

from cushion_demo_app.caption_layout import Placed, place, region_box
from cushion_demo_app.caption_look import CaptionLook
from cushion_demo_app.geometry import Box
from cushion_demo_app.qt import QtWidgets
from cushion_demo_app.video_surface import VideoSurface
from cushion_player.media.film import FilmSpec, film_frame
from cushion_player.outputs import TextRenderer, VideoFrame
from cushion_player.text import Align, Colour, Cue, Edge, Placement, Region, Span, Style, read_srt, read_vtt
from tests.demo_app.fakes import plain_conversion
from tests.demo_app.test_video_surface import pixels_of, show

WIDTH, HEIGHT = 1000, 500
CHARACTER_PX, LINE_PX = 10, 25


def measure(cue: Cue, room: int) -> tuple[int, int]:
    """Letters of one width; lines broken anywhere."""
    lines = [
        line[at : at + room // CHARACTER_PX]
        for line in cue.text.split("\n")
        for at in range(0, len(line), max(room // CHARACTER_PX, 1))
    ]
    return max(len(line) for line in lines) * CHARACTER_PX, len(lines) * LINE_PX


def cue(text: str = "words", placement: Placement | None = None, region: Region | None = None) -> Cue:
    return Cue(0, 1, (Span(text),), placement=placement or Placement(), region=region)


def laid_out(*cues: Cue, bottom_inset: int = 0) -> list[Box]:
    return [placed.box for placed in place(cues, WIDTH, HEIGHT, measure, bottom_inset=bottom_inset)]


def test_cue_without_a_place_lies_at_the_bottom_and_the_next_above_it() -> None:
    first, second = laid_out(cue(), cue("two\nlines"))

    assert (first.y, first.height) == (HEIGHT - 15 - 25, 25)
    assert second.y + second.height == first.y
    assert first.x + first.width // 2 == WIDTH // 2


def test_what_covers_the_bottom_pushes_text_up() -> None:
    (box,) = laid_out(cue(), bottom_inset=80)

    assert box.y + box.height == HEIGHT - 80


@pytest.mark.parametrize(
    ("line", "edge", "y"),
    [(0.0, Edge.START, 15), (50.0, Edge.START, 250), (50.0, Edge.CENTER, 238), (50.0, Edge.END, 225),
     (100.0, Edge.START, 460)],
)  # fmt: skip
def test_percent_lines_count_from_the_top_and_stay_inside(line: float, edge: Edge, y: int) -> None:
    (box,) = laid_out(cue(placement=Placement(line=line, snaps_to_lines=False, line_edge=edge)))

    assert box.y == y


def test_counted_lines_give_way_to_those_before_them() -> None:
    top, below = laid_out(cue(placement=Placement(line=1)), cue(placement=Placement(line=1)))
    last, above = laid_out(cue(placement=Placement(line=-1)), cue(placement=Placement(line=-1)))

    assert (top.y, below.y) == (27, 52)
    assert (last.y, above.y) == (460, 435)


@pytest.mark.parametrize(
    ("placement", "left", "right"),
    [
        (Placement(align=Align.LEFT), 30, 970),
        (Placement(align=Align.LEFT, position=40.0), 400, 970),
        (Placement(align=Align.END, position=60.0), 30, 600),
        (Placement(position=30.0), 30, 600),
        (Placement(size=50.0), 250, 750),
        (Placement(position=20.0, position_edge=Edge.END, size=10.0), 100, 200),
        (Placement(position=50.0, position_edge=Edge.CENTER, size=0.0, align=Align.LEFT), 475, 525),
    ],
)
def test_position_size_and_alignment_give_the_column(placement: Placement, left: int, right: int) -> None:
    (box,) = laid_out(cue(placement=placement))

    assert (box.x, box.x + box.width) == (left, right)


@pytest.mark.parametrize(("stack", "ys"), [(Edge.START, [100, 125]), (Edge.CENTER, [125, 150]), (Edge.END, [150, 175])])
def test_lines_of_a_region_gather_at_its_side_in_order(stack: Edge, ys: list[int]) -> None:
    region = Region("r", 10.0, 20.0, 50.0, 20.0, stack)

    boxes = laid_out(cue(region=region), cue(region=region))

    assert [(box.x, box.y, box.width) for box in boxes] == [(100, y, 500) for y in ys]


def test_covered_region_moves_up_with_its_background() -> None:
    region = Region("r", 0.0, 80.0, 100.0, 20.0)

    assert region_box(region, WIDTH, HEIGHT) == Box(0, 400, 1000, 100)
    assert region_box(region, WIDTH, HEIGHT, 100) == Box(0, 300, 1000, 100)
    assert laid_out(cue(region=region), bottom_inset=100)[0].y == 375


def test_every_cue_of_a_crowd_lies_inside_the_picture() -> None:
    crowd = [cue(f"cue {at}" * (at % 5 + 1), Placement(line=float(at % 20 - 10))) for at in range(60)]

    placed: list[Placed] = place(crowd, WIDTH, HEIGHT, measure)

    assert [each.cue for each in placed] == crowd
    assert all(each.box.y >= 0 and each.box.y + each.box.height <= HEIGHT for each in placed)


# --------------------------------------------------------------------------- on the surface


@pytest.fixture
def surface() -> VideoSurface:
    """A surface of 640×360 with a frame of the film on it, no letterbox."""
    made = VideoSurface()
    made.resize(640, 360)
    native = film_frame(FilmSpec(640, 360, Fraction(30), 2.0), 37)
    show(made, VideoFrame(1_233_333, 33_333, 640, 360, 0, native))
    return made


def rows_changed(before: np.ndarray, after: np.ndarray) -> tuple[int, int]:
    """First and last row of the picture that differ."""
    rows = np.flatnonzero((before != after).any(axis=(1, 2)))
    return int(rows[0]), int(rows[-1])


def test_text_is_painted_at_the_bottom_and_goes_again(surface: VideoSurface) -> None:
    before = pixels_of(surface)

    surface.show_cues(read_srt("1\n00:00:01,000 --> 00:00:02,000\nHello there\n"))
    with_text = pixels_of(surface)
    surface.show_cues(())

    first, last = rows_changed(before, with_text)
    assert 310 < first < last < 355
    assert (with_text[first : last + 1, 200:440, :3].min(axis=2) > 240).sum() > 100, "letters are white"
    assert np.array_equal(pixels_of(surface), before)


def test_text_keeps_above_what_covers_the_bottom(surface: VideoSurface) -> None:
    before = pixels_of(surface)
    surface.show_cues(read_srt("1\n00:00:01,000 --> 00:00:02,000\nHello there\n"))

    surface.cover_bottom(100)

    assert rows_changed(before, pixels_of(surface))[1] < 260


def test_colours_and_backgrounds_are_those_of_the_cue(surface: VideoSurface) -> None:
    style = Style(colour=Colour(255, 0, 0), background=Colour(0, 0, 255))
    placement = Placement(line=50.0, snaps_to_lines=False)

    surface.show_cues((Cue(0, 1, (Span("████ and", style),), placement=placement),))

    middle = pixels_of(surface)[180:200, 200:440, :3].reshape(-1, 3).tolist()
    assert [0, 0, 255] in middle, "red, in the order of blue, green, red"
    assert [255, 0, 0] in middle


def test_ruby_takes_room_above_its_line(surface: VideoSurface) -> None:
    before = pixels_of(surface)
    heights: list[int] = []
    for words in ("base", "<ruby>base<rt>above</rt></ruby>"):
        surface.show_cues(read_vtt(f"WEBVTT\n\n00:00.000 --> 00:01.000\n{words}\n").cues)
        first, last = rows_changed(before, pixels_of(surface))
        heights.append(last - first)

    assert heights[1] > heights[0] * 1.2


def test_lease_shows_text_from_any_thread_until_another_session_has_the_surface(surface: VideoSurface) -> None:
    cues = read_srt("1\n00:00:01,000 --> 00:00:02,000\nHello\n")
    lease: TextRenderer = surface.lend()
    thread = threading.Thread(target=lease.show, args=(cues,))
    thread.start()
    thread.join()
    QtWidgets.QApplication.processEvents()
    assert surface.cues == cues

    surface.lend()
    assert surface.cues == ()
    lease.show(cues)
    QtWidgets.QApplication.processEvents()

    assert surface.cues == ()


def painted(look: CaptionLook, *cues: Cue) -> np.ndarray:
    """(H, W, 3) uint8 RGB of text over grey, as a viewer wants it."""
    surface = VideoSurface(convert=plain_conversion)
    surface.resize(320, 180)
    show(surface, VideoFrame(128_000, 33_000, 320, 180, 0, None))
    surface.style_captions(look)
    surface.show_cues(cues or (cue("██████"),))
    return pixels_of(surface)[..., 2::-1]


def count(picture: np.ndarray, colour: tuple[int, int, int]) -> int:
    """How many pixels are of exactly this colour."""
    return int(np.sum(np.all(picture == colour, axis=2)))


def test_the_viewer_chooses_colour_background_and_size_of_text() -> None:
    plain, large = painted(CaptionLook()), painted(CaptionLook(size=1.9))
    chosen = painted(CaptionLook(colour="yellow", background="grey"))
    white, yellow, grey = (255, 255, 255), (255, 235, 60), (60, 64, 70)

    assert count(large, white) > 1.5 * count(plain, white) > 100
    assert (count(plain, yellow), count(plain, grey), count(chosen, white)) == (0, 0, 0)
    assert count(chosen, yellow) == count(plain, white)
    assert count(chosen, grey) > 20, "what block letters leave of it"


def test_what_the_viewer_chose_goes_before_what_the_title_says() -> None:
    red, green, blue, cyan = (255, 0, 0), (0, 90, 0), (0, 0, 255), (90, 235, 255)
    style = Style(colour=Colour(*red), background=Colour(*green))
    styled = Cue(0, 1, (Span("██████", style),), region=Region("r", background=Colour(*blue)))

    title, chosen = painted(CaptionLook(), styled), painted(CaptionLook(colour="cyan", background="none"), styled)

    assert all(count(title, colour) > 20 for colour in (red, green, blue))
    assert [count(chosen, colour) for colour in (red, green, blue)] == [0, 0, 0]
    assert count(chosen, cyan) == count(title, red)
