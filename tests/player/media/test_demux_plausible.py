"""Impossible times are left out; possible ones, however odd, stay."""

from __future__ import annotations

import pytest

from cushion_player.errors import DecodeError
from cushion_player.media.demux import CodecConfig, CodedFrame, Stretch
from cushion_player.media.demux.plausible import MAX_TIME_US, plausible

CONFIG = CodecConfig("h264", "avc1")


def stretch(*times_us: int, duration_us: int = 40_000, damage: str = "") -> Stretch:
    return Stretch(CONFIG, [CodedFrame(b"", time, time, duration_us, True) for time in times_us], damage)


def times(found: Stretch) -> list[int]:
    return [frame.pts_us for frame in found.frames]


@pytest.mark.parametrize("shift_us", [0, -5_000_000, 95_443_717_689, 1_700_000_000_000_000])
def test_a_piece_may_lie_anywhere(shift_us: int) -> None:
    piece = stretch(*(shift_us + 40_000 * number for number in (0, 3, 1, 2)))

    assert plausible(piece, 160_000) is piece


def test_a_frame_hours_away_from_the_others_is_left_out_and_told() -> None:
    found = plausible(stretch(0, 40_000, 26 * 3_600_000_000, 80_000, damage="a gap"), 160_000)

    assert times(found) == [0, 40_000, 80_000]
    assert found.damage == "a gap; 1 frames with impossible times were left out"


def test_a_long_piece_of_few_frames_stays() -> None:
    piece = stretch(0, 600_000_000)

    assert plausible(piece, 600_000_000) is piece


def test_times_and_durations_that_leave_64_bits_do_not_get_through() -> None:
    found = plausible(stretch(0, 40_000, 1 << 70, duration_us=1 << 66), 160_000)

    assert times(found) == [0, 40_000]
    assert all(frame.duration_us < 1 << 40 for frame in found.frames)
    with pytest.raises(DecodeError, match="nonsense"):
        plausible(stretch(MAX_TIME_US * 2), 160_000)


def test_nothing_stays_nothing() -> None:
    assert plausible(stretch(), 0).frames == []
