"""Where media time lies when the manifest does not say."""

from __future__ import annotations

from fractions import Fraction

from cushion_player.media.media_time import MediaTimes
from cushion_player.model import Container
from cushion_player.outputs import MediaFormat, MediaSegment
from cushion_player.timeline import TrackKind
from tests.player.media.samples import encode_audio, encode_video, mux, timestamp_tag, ts_segments

V, A = TrackKind.VIDEO, TrackKind.AUDIO


def ts(number: int) -> MediaFormat:
    return MediaFormat(0, Container.MPEG_TS, b"", discontinuity=number)


def at(start_us: int, data: bytes) -> MediaSegment:
    return MediaSegment(start_us, start_us + 1_000_000, None, data)


def muxed_at(seconds: int) -> bytes:
    return ts_segments(encode_video("libx264"), encode_audio("aac"), shift_s=Fraction(seconds))[0]


def test_what_the_manifest_says_is_taken_as_it_is() -> None:
    times = MediaTimes()

    assert times.offset_us(V, ts(0), MediaSegment(0, 1, 123, b"not looked at")) == 123


def test_the_first_segment_of_a_discontinuity_fixes_the_offset_for_every_track() -> None:
    times = MediaTimes()

    first = times.offset_us(V, ts(0), at(0, muxed_at(10)))
    sound = times.offset_us(A, ts(0), at(0, muxed_at(10)))
    later = times.offset_us(V, ts(0), at(1_000_000, b"not looked at"))

    assert first == sound == later == 10_000_000


def test_each_discontinuity_has_its_own() -> None:
    times = MediaTimes()
    times.offset_us(V, ts(0), at(0, muxed_at(10)))

    after_break = times.offset_us(V, ts(1), at(60_000_000, muxed_at(3)))
    back = times.offset_us(A, ts(0), at(1_000_000, b"not looked at"))

    assert (after_break, back) == (3_000_000 - 60_000_000, 10_000_000)


def test_after_a_jump_an_offset_that_still_agrees_stays() -> None:
    times = MediaTimes()
    times.offset_us(V, ts(0), at(0, muxed_at(10)))

    times.unsettle()
    near = times.offset_us(V, ts(0), at(30_040_000, muxed_at(40)))
    times.unsettle()
    far = times.offset_us(V, ts(0), at(32_000_000, muxed_at(40)))

    assert (near, far) == (10_000_000, 8_000_000)


def test_packed_audio_tells_by_its_tag_and_otherwise_begins_where_it_should() -> None:
    sound = mux("adts", [(encode_audio("aac"), encode_audio("aac").packets)])
    packed = MediaFormat(0, Container.PACKED_AUDIO, b"", discontinuity=5)

    assert MediaTimes().offset_us(A, packed, at(2_000_000, timestamp_tag(900_000) + sound)) == 8_000_000
    assert MediaTimes().offset_us(A, packed, at(2_000_000, sound)) == 0


def test_what_cannot_be_read_fixes_nothing() -> None:
    times = MediaTimes()

    assert times.offset_us(V, ts(0), at(0, b"<html>")) == 0
    assert times.offset_us(V, ts(0), at(0, muxed_at(10))) == 10_000_000
