"""Transport streams: times across the 33-bit wrap, muxed streams, damage, and what lies across segments."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from cushion_player.errors import DecodeError, MediaError, UnsupportedCodec
from cushion_player.media.demux import CodedFrame, Stretch
from cushion_player.media.demux.ts import TsDemuxer
from cushion_player.media.demux.wrapping import unwrap_us
from cushion_player.timeline import TrackKind
from tests.player.media.samples import encode_audio, encode_video, mux, ts_segments
from tests.player.media.ts_packets import packet, pes, programme_map

BEFORE_WRAP_S = Fraction((1 << 33) // 90_000)
"""The clock is back at 0 after 0.72 s of film from here."""
V, A = TrackKind.VIDEO, TrackKind.AUDIO


def read_all(demuxer: TsDemuxer, segments: list[bytes], first_us: int) -> list[Stretch]:
    return [demuxer.read(segment, first_us + index * 1_000_000) for index, segment in enumerate(segments)]


def frames(stretches: list[Stretch]) -> list[CodedFrame]:
    return [frame for stretch in stretches for frame in stretch.frames]


@pytest.fixture(scope="module")
def muxed() -> list[bytes]:
    return ts_segments(encode_video("libx264"), encode_audio("aac"), shift_s=Fraction(10))


def test_each_track_finds_its_stream_in_the_same_bytes(muxed: list[bytes]) -> None:
    video = read_all(TsDemuxer(V), muxed, 10_000_000)
    audio = read_all(TsDemuxer(A), muxed, 10_000_000)

    assert [stretch.config.codec for stretch in video + audio] == ["h264", "h264", "aac", "aac"]
    assert len(frames(video)) == 60
    assert len(frames(audio)) == len(encode_audio("aac").packets)
    assert [bytes(frame.data[7:]) for frame in frames(audio)] == [bytes(each) for each in encode_audio("aac").packets]
    assert [stretch.frames[0].is_sync for stretch in video] == [True, True]
    assert sum(frame.is_sync for frame in frames(video)) == 2


def test_times_and_durations_of_pictures_are_those_of_the_encoder(muxed: list[bytes]) -> None:
    found = frames(read_all(TsDemuxer(V), muxed, 10_000_000))

    expected = [
        int(each.pts * each.time_base * 1_000_000) + 10_000_000
        for each in encode_video("libx264").packets
        if each.pts is not None
    ]
    assert [frame.pts_us for frame in found] == pytest.approx(expected, abs=12)
    assert {round(frame.duration_us, -2) for frame in found} == {33_300}


def test_sound_is_end_to_end_though_its_stamps_are_rounded(muxed: list[bytes]) -> None:
    found = frames(read_all(TsDemuxer(A), muxed, 10_000_000))

    steps = np.diff([frame.pts_us for frame in found])
    assert set(steps) <= {21_333, 21_334}


@pytest.mark.parametrize("kind", [V, A])
def test_a_wrap_of_the_clock_inside_a_segment_leaves_no_mark(kind: TrackKind) -> None:
    streams = (encode_video("libx264"), encode_audio("aac"))
    plain = ts_segments(*streams, shift_s=Fraction(10))
    wrapping = ts_segments(*streams, shift_s=BEFORE_WRAP_S)
    shift_us = int(BEFORE_WRAP_S - 10) * 1_000_000

    expected = frames(read_all(TsDemuxer(kind), plain, 10_000_000))
    found = frames(read_all(TsDemuxer(kind), wrapping, 10_000_000 + shift_us))

    assert [frame.pts_us - shift_us for frame in found] == pytest.approx([frame.pts_us for frame in expected], abs=12)


@pytest.mark.parametrize("turns", [0, 1, 5])
def test_a_stamp_is_taken_to_be_the_nearest_to_what_is_expected(turns: int) -> None:
    period_us = (1 << 33) * 100 / 9

    for ticks in (0, 1, 90_000, (1 << 33) - 1):
        exact = ticks * 100 / 9 + turns * period_us
        for error_us in (-40_000_000_000, 0, 40_000_000_000):
            assert unwrap_us(ticks, round(exact) + error_us) == pytest.approx(exact, abs=1)


def test_sound_that_lies_across_segments_is_put_together() -> None:
    whole = mux("mpegts", [(encode_audio("aac"), encode_audio("aac").packets)], Fraction(10), mpegts_copyts="1")
    expected = frames([TsDemuxer(A).read(whole, 10_000_000)])
    cut = 188 * (len(whole) // 188 // 2)
    demuxer = TsDemuxer(A)

    found = frames([demuxer.read(whole[:cut], 10_000_000), demuxer.read(whole[cut:], 11_000_000)])

    assert [bytes(frame.data) for frame in found] == [bytes(frame.data) for frame in expected]
    assert [frame.pts_us for frame in found] == pytest.approx([frame.pts_us for frame in expected], abs=2)


def test_lost_packets_are_counted_and_the_rest_is_there(muxed: list[bytes]) -> None:
    holed = muxed[0][: 188 * 100] + muxed[0][188 * 110 :]

    stretch = TsDemuxer(V).read(holed, 10_000_000)

    assert "gaps in the transport stream" in stretch.damage
    assert len(stretch.frames) >= 25


def test_a_stream_out_of_step_is_found_again(muxed: list[bytes]) -> None:
    data = muxed[0]
    shifted = b"\x47garbage" + data[: 188 * 50] + b"\0" * 77 + data[188 * 50 :]

    stretch = TsDemuxer(V).read(shifted, 10_000_000)

    assert len(stretch.frames) == 30
    assert stretch.damage


def test_a_truncated_segment_gives_what_is_there(muxed: list[bytes]) -> None:
    stretch = TsDemuxer(V).read(muxed[0][: len(muxed[0]) // 2], 10_000_000)

    assert 5 < len(stretch.frames) < 30


@pytest.mark.parametrize("junk", [b"", b"<html>not media</html>", bytes(1000), b"\x47" * 1000])
def test_what_is_no_transport_stream_is_an_error(junk: bytes) -> None:
    with pytest.raises(DecodeError, match="transport stream"):
        TsDemuxer(V).read(junk, 0)


def test_a_missing_stream_and_an_encrypted_one_are_named() -> None:
    sound_only = ts_segments(encode_audio("aac"), shift_s=Fraction(10))[0]
    with pytest.raises(UnsupportedCodec, match="carries no video"):
        TsDemuxer(V).read(sound_only, 0)

    sample_aes = b"".join(programme_map({0x100: (0xDB, b"")}))
    with pytest.raises(UnsupportedCodec, match="SAMPLE-AES"):
        TsDemuxer(V).read(sample_aes, 0)


def test_tables_may_come_as_an_initialisation_segment_of_their_own(muxed: list[bytes]) -> None:
    tables = b"".join(row for row in rows(muxed[0]) if pid_of(row) in (0, 0x1000))
    bare = b"".join(row for row in rows(muxed[0]) if pid_of(row) not in (0, 0x1000))

    with pytest.raises(DecodeError, match="no tables"):
        TsDemuxer(V).read(bare, 10_000_000)
    assert len(TsDemuxer(V, tables).read(bare, 10_000_000).frames) == 30


def test_id3_tags_are_timed_metadata() -> None:
    tag = b"ID3\4\0\0\0\0\0\4abcd"
    data = b"".join(
        [
            *programme_map({0x100: (0x0F, b""), 0x102: (0x15, b"\x26\x0d\xff\xffID3 \xffID3 \0\x0f")}),
            *packet(0x102, pes(0xBD, 90_000 * 12, tag)),
        ]
    )

    stretch = TsDemuxer(A).read(data, 11_000_000)

    assert stretch.metadata == ((12_000_000, tag),)


@pytest.mark.parametrize(
    ("stream_type", "descriptors", "codec"),
    [(0x06, b"\x6a\x01\0", "ac3"), (0x06, b"\x05\x04EAC3", "eac3"), (0x81, b"", "ac3"), (0x03, b"", "mp3float")],
)
def test_codecs_of_sound_are_known_by_type_or_descriptor(stream_type: int, descriptors: bytes, codec: str) -> None:
    data = b"".join(programme_map({0x101: (stream_type, descriptors)}))

    assert TsDemuxer(A).read(data, 0).config.codec == codec


def test_damaged_bytes_raise_nothing_but_media_errors(muxed: list[bytes]) -> None:
    rng = np.random.default_rng(3)

    for _ in range(60):
        data = bytearray(muxed[0][: 188 * 40])
        for _ in range(int(rng.integers(1, 40))):
            data[int(rng.integers(0, len(data)))] = int(rng.integers(0, 256))
        for kind in (V, A):
            try:
                stretch = TsDemuxer(kind).read(bytes(data), 10_000_000)
            except MediaError:
                continue
            assert all(len(frame.data) <= len(data) for frame in stretch.frames)


def rows(data: bytes) -> list[bytes]:
    return [data[at : at + 188] for at in range(0, len(data), 188)]


def pid_of(row: bytes) -> int:
    return (row[1] & 0x1F) << 8 | row[2]
