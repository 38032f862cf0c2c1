"""Packed audio: the timestamp in front, its wrap, and pieces that begin and end anywhere."""

from __future__ import annotations

import numpy as np
import pytest

from cushion_player.errors import DecodeError, MediaError
from cushion_player.media.demux import CodedFrame
from cushion_player.media.demux.audio_frames import READERS, split_frames
from cushion_player.media.demux.packed import PackedDemuxer, read_timestamp
from tests.player.media.samples import encode_audio, mux, timestamp_tag


@pytest.fixture(scope="module")
def adts() -> bytes:
    return mux("adts", [(encode_audio("aac"), encode_audio("aac").packets)])


def test_the_tag_says_when_the_first_frame_is_heard(adts: bytes) -> None:
    stretch = PackedDemuxer().read(timestamp_tag(900_000) + adts, 10_000_000)

    assert [frame.pts_us for frame in stretch.frames[:3]] == [10_000_000, 10_021_333, 10_042_667]
    assert stretch.config.codec == "aac"
    assert len(stretch.frames) == len(encode_audio("aac").packets)


def test_the_timestamp_wraps(adts: bytes) -> None:
    stretch = PackedDemuxer().read(timestamp_tag(450) + adts, (1 << 33) * 100 // 9)

    assert stretch.frames[0].pts_us == round(((1 << 33) + 450) * 100 / 9)


def test_a_tag_may_hold_other_frames_and_follow_another_tag(adts: bytes) -> None:
    title = b"TIT2\0\0\0\4\0\0\0abc"

    at, ticks = read_timestamp(timestamp_tag(1, title) + timestamp_tag(77, title) + adts)

    assert ticks == 77
    assert at == 2 * len(timestamp_tag(1, title))


def test_pieces_without_a_tag_follow_one_another_even_in_mid_frame(adts: bytes) -> None:
    expected = PackedDemuxer().read(timestamp_tag(900_000) + adts, 10_000_000).frames
    demuxer = PackedDemuxer()
    third = len(adts) // 3

    pieces = [timestamp_tag(900_000) + adts[:third], adts[third : 2 * third], adts[2 * third :]]
    found: list[CodedFrame] = []
    for piece in pieces:
        found += demuxer.read(piece, found[-1].pts_us + 30_000 if found else 10_000_000).frames

    assert [bytes(frame.data) for frame in found] == [bytes(frame.data) for frame in expected]
    assert [frame.pts_us for frame in found] == pytest.approx([frame.pts_us for frame in expected], abs=2)


def test_after_a_jump_a_piece_without_a_tag_begins_where_it_should(adts: bytes) -> None:
    demuxer = PackedDemuxer()
    demuxer.read(adts, 0)

    demuxer.reset()

    assert demuxer.read(adts, 30_000_000).frames[0].pts_us == 30_000_000


def test_damage_is_passed_over_and_told(adts: bytes) -> None:
    damaged = adts[:5000] + bytes(300) + adts[5300:]

    stretch = PackedDemuxer().read(damaged, 0)

    assert "passed over" in stretch.damage
    assert len(stretch.frames) > len(encode_audio("aac").packets) - 6


def test_what_is_no_packed_audio_is_an_error() -> None:
    with pytest.raises(DecodeError, match="not packed audio"):
        PackedDemuxer().read(b"<html>", 0)


@pytest.mark.parametrize("rate_hz", [48_000, 44_100, 32_000])
@pytest.mark.parametrize("encoder", ["ac3", "eac3", "libmp3lame"])
def test_headers_say_how_long_each_frame_is(encoder: str, rate_hz: int) -> None:
    packets = encode_audio(encoder, rate_hz).packets
    codec = {"libmp3lame": "mp3float"}.get(encoder, encoder)

    frames, end, skipped = split_frames(b"".join(bytes(packet) for packet in packets), READERS[codec])

    assert [frame.end - frame.start for frame in frames] == [packet.size for packet in packets]
    assert {frame.rate_hz for frame in frames} == {rate_hz}
    assert {frame.samples for frame in frames} == {1152 if encoder == "libmp3lame" else 1536}
    assert (end, skipped) == (frames[-1].end, 0)


@pytest.mark.parametrize("codec", sorted(READERS))
def test_noise_ends_in_bounded_time_and_raises_nothing_else(codec: str) -> None:
    rng = np.random.default_rng(9)
    noise = rng.choice(np.array([0xFF, 0xF1, 0x0B, 0x77, 0xFB, 0, 7], dtype=np.uint8), 20_000).tobytes()

    frames, end, skipped = split_frames(noise, READERS[codec])

    assert sum(frame.end - frame.start for frame in frames) + skipped == end <= len(noise)
    try:
        PackedDemuxer().read(noise, 0)
    except MediaError:
        pass
