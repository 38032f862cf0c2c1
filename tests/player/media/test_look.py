"""What a picture says about showing it reaches the renderer: turning from the container, shape, how light is coded."""

from __future__ import annotations

import struct

import av
import pytest

from cushion_player.boxes import read_init
from cushion_player.media.decode import TrackDecoder
from cushion_player.model import Container
from cushion_player.outputs import DynamicRange, MediaFormat
from cushion_player.timeline import TrackKind
from tests.player.media.film_ladder import FilmLadder

ONE = 1 << 16
TURNS = {0: (ONE, 0, 0, ONE), 90: (0, ONE, -ONE, 0), 180: (-ONE, 0, 0, -ONE), 270: (0, -ONE, ONE, 0)}


def turned(init: bytes, matrix: tuple[int, int, int, int]) -> bytes:
    """The initialisation segment with another matrix in its tkhd (version 0)."""
    at = init.index(b"tkhd") + 4 + 40
    a, b, c, d = matrix
    changed = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    return init[:at] + changed + init[at + len(changed) :]


@pytest.mark.parametrize("degrees", TURNS)
def test_a_quarter_turn_of_the_container_comes_with_the_picture(ladder: FilmLadder, degrees: int) -> None:
    init = turned(ladder.inits[0], TURNS[degrees])
    decoder = TrackDecoder(TrackKind.VIDEO)
    decoder.switch(MediaFormat(0, Container.MP4, init))

    frame = next(iter(decoder.decode(ladder.segments[0][0], 0, 0)))
    assert isinstance(frame, av.VideoFrame)

    assert read_init(init, "vide").rotation_deg == degrees
    look = decoder.look_of(frame)
    assert (look.rotation_deg, look.pixel_aspect, look.dynamic_range) == (degrees, (1, 1), DynamicRange.SDR)
    assert decoder.look_of(frame) is look


def test_a_slant_is_no_turn(ladder: FilmLadder) -> None:
    assert read_init(turned(ladder.inits[0], (ONE, ONE, -ONE, ONE)), "vide").rotation_deg == 0


@pytest.mark.parametrize(
    ("transfer", "expected"), [(16, DynamicRange.PQ), (18, DynamicRange.HLG), (1, DynamicRange.SDR)]
)
def test_the_coding_of_light_comes_with_the_picture(ladder: FilmLadder, transfer: int, expected: DynamicRange) -> None:
    decoder = TrackDecoder(TrackKind.VIDEO)
    decoder.switch(MediaFormat(0, Container.MP4, ladder.inits[0]))
    frame = next(iter(decoder.decode(ladder.segments[0][0], 0, 0)))
    assert isinstance(frame, av.VideoFrame)
    frame.color_trc = transfer

    assert decoder.look_of(frame).dynamic_range is expected
