"""Five hundred rung switches, half a second apart, in each container of HLS and DASH: every picture once, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from itertools import cycle, islice

import av
import pytest

from cushion_player.media.decode import Frame, TrackDecoder
from cushion_player.media.film import FilmSpec
from cushion_player.model import Container
from cushion_player.outputs import MediaFormat
from cushion_player.timeline import TrackKind
from tests.player.media.film_ladder import package
from tests.player.media.samples import Encoded, Packet, by_key_frame, code_of, copy_packet, encode_video, mux

SWITCHES = 500
SEGMENT_FRAMES = 15
SEGMENT_US = 500_000
SIZES = ((160, 90), (256, 144), (426, 240))
SHIFT_S = 10
"""Transport streams begin here, so that no time is negative."""
Segment = Callable[[Encoded, Sequence[Packet], Fraction], tuple[MediaFormat, bytes, int]]


@cache
def rung(number: int) -> tuple[Encoded, list[list[Packet]]]:
    """Two seconds, a key frame every half second."""
    width_px, height_px = SIZES[number]
    spec = FilmSpec(width_px=width_px, height_px=height_px, seconds=2.0)
    encoded = encode_video("libx264", spec, SEGMENT_FRAMES)
    return encoded, by_key_frame(encoded.packets)


def as_mp4(encoded: Encoded, packets: Sequence[Packet], shift_s: Fraction) -> tuple[MediaFormat, bytes, int]:
    init, (data,) = package(encoded.encoder, [[copy_packet(packet, shift_s) for packet in packets]])
    return MediaFormat(0, Container.MP4, init), data, 0


def as_ts(encoded: Encoded, packets: Sequence[Packet], shift_s: Fraction) -> tuple[MediaFormat, bytes, int]:
    data = mux("mpegts", [(encoded, packets)], shift_s + SHIFT_S, mpegts_copyts="1")
    return MediaFormat(0, Container.MPEG_TS, b""), data, SHIFT_S * 1_000_000


@pytest.mark.parametrize("segment", [as_mp4, as_ts])
def test_no_frame_is_lost_or_repeated_over_five_hundred_switches(segment: Segment) -> None:
    decoder = TrackDecoder(TrackKind.VIDEO)
    frames: list[tuple[int | None, int | None, int]] = []

    def take(decoded: Sequence[Frame]) -> None:
        frames.extend((code_of(each), each.pts, each.height) for each in decoded if isinstance(each, av.VideoFrame))

    n_segments = SWITCHES + 1
    for index, number in enumerate(islice(cycle((0, 2, 1)), n_segments)):
        encoded, parts = rung(number)
        turn, part = divmod(index, len(parts))
        media_format, data, offset_us = segment(encoded, parts[part], Fraction(2 * turn))
        take([*decoder.drain()])
        decoder.switch(media_format)
        take([*decoder.decode(data, index * SEGMENT_US, offset_us)])
        assert decoder.damage == ""
    take([*decoder.drain()])

    n_frames = n_segments * SEGMENT_FRAMES
    assert [code for code, _, _ in frames] == list(islice(cycle(range(60)), n_frames))
    assert [time_us for _, time_us, _ in frames] == pytest.approx([n * 1e6 / 30 for n in range(n_frames)], abs=25)
    heights = [SIZES[number][1] for number in islice(cycle((0, 2, 1)), n_segments)]
    assert [height for _, _, height in frames[::SEGMENT_FRAMES]] == heights
    assert decoder.corrupt == 0
