"""Events and clock readings inside segments, subtitle tracks, and chunks of an arriving segment."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cushion_player.boxes import (
    ChunkScanner,
    EventMessage,
    MediaChunk,
    read_event_messages,
    read_init,
    read_producer_times,
    read_segment,
)
from cushion_player.errors import DecodeError, UnsupportedCodec
from tests.player.boxes_media import make_audio, make_video
from tests.player.boxes_writing import box, full, rewrite, split, words

# --------------------------------------------------------------------------- events

STRINGS = b"urn:scte:scte35:2013:bin\x00" + b"1001\x00"


def emsg_v0(timescale: int, delta: int, duration: int, number: int, payload: bytes = b"") -> bytes:
    return full(b"emsg", 0, 0, STRINGS, words(timescale, delta, duration, number), payload)


def emsg_v1(timescale: int, time: int, duration: int, number: int, payload: bytes = b"") -> bytes:
    return full(b"emsg", 1, 0, struct.pack(">IQII", timescale, time, duration, number), STRINGS, payload)


def test_events_of_both_versions_are_read_in_order() -> None:
    data = emsg_v0(90000, 4500, 9000, 1, b"\xfc\x00") + make_video().segments[0] + emsg_v1(1000, 2**40, 0xFFFFFFFF, 2)

    events = read_event_messages(data)

    scheme, value = "urn:scte:scte35:2013:bin", "1001"
    assert events == (
        EventMessage(scheme, value, 90000, 4500, True, 9000, 1, b"\xfc\x00"),
        EventMessage(scheme, value, 1000, 2**40, False, None, 2, b""),
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (full(b"emsg", 0, 0, b"urn:x"), "truncated inside its scheme or value"),
        (full(b"emsg", 0, 0, STRINGS, words(1, 2)), "too short"),
        (full(b"emsg", 1, 0, words(1, 2)), "too short"),
        (emsg_v1(0, 0, 0, 0), "timescale of 0"),
        (full(b"emsg", 2, 0, bytes(40)), "version 2"),
    ],
)
def test_damaged_event_names_its_place(data: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=rf"byte 8.*{message}"):
        read_event_messages(box(b"free") + data)


# --------------------------------------------------------------------------- producer reference times


def test_producer_times_of_both_versions_are_read() -> None:
    ntp = (2_208_988_800 + 1_800_000_000 << 32) + (1 << 31)
    old = full(b"prft", 0, 0, struct.pack(">IQI", 1, ntp, 90_000))
    new = full(b"prft", 1, 24, struct.pack(">IQQ", 2, ntp + (1 << 30), 2**40))

    first, second = read_producer_times(old + new + make_video().segments[0])

    assert (first.track_id, first.media_time, first.wall_us) == (1, 90_000, 1_800_000_000_500_000)
    assert (second.track_id, second.media_time, second.wall_us) == (2, 2**40, 1_800_000_000_750_000)
    assert (first.origin, second.origin) == ("encoder input", "unknown")


def test_cut_off_producer_time_is_a_decode_error() -> None:
    with pytest.raises(DecodeError, match="too short"):
        read_producer_times(full(b"prft", 1, 0, bytes(16)))


# --------------------------------------------------------------------------- subtitle tracks


def subtitle_init(handler: bytes, entry: bytes) -> bytes:
    """The audio track's init, made into one of subtitles."""

    def change(kind: bytes, body: bytes) -> bytes:
        if kind == b"hdlr":
            return box(kind, body[:8], handler, body[12:])
        return box(kind, body[:8], entry) if kind == b"stsd" else box(kind, body)

    return rewrite(make_audio().init, change)


def test_webvtt_track_is_read_with_its_header_and_samples() -> None:
    init = subtitle_init(b"text", box(b"wvtt", bytes(6), b"\0\1", box(b"vttC", b"WEBVTT\nX: y")))

    info = read_init(init, "text")
    samples = read_segment(make_audio().segments[1], info).samples

    assert (info.handler, info.codec, info.codec_string, info.extradata) == ("text", "wvtt", "wvtt", b"WEBVTT\nX: y")
    assert len(samples) == len(make_audio().packets[1])


def test_ttml_track_is_read() -> None:
    entry = box(b"stpp", bytes(6), b"\0\1", b"http://www.w3.org/ns/ttml\0\0\0")

    info = read_init(subtitle_init(b"subt", entry), "text")

    assert (info.handler, info.codec, info.extradata) == ("subt", "stpp", b"")


def test_subtitles_are_no_video_or_audio() -> None:
    init = subtitle_init(b"text", box(b"tx3g", bytes(8)))

    with pytest.raises(DecodeError, match="has no video or audio track"):
        read_init(init)
    with pytest.raises(UnsupportedCodec, match="no decoder for 'tx3g'"):
        read_init(init, "text")
    with pytest.raises(DecodeError, match="has no subtitle track"):
        read_init(make_audio().init, "text")


# --------------------------------------------------------------------------- chunks

CHUNKED = b"".join(
    [
        box(b"styp", b"cmfl"),
        full(b"prft", 1, 24, bytes(20)),
        make_video(segments=3, frames=10).segments[0],
        emsg_v1(1000, 5, 5, 1),
        make_video(segments=3, frames=10).segments[1],
        make_video(segments=3, frames=10).segments[2],
    ]
)
INIT = read_init(make_video(segments=3, frames=10).init)


def test_each_chunk_is_told_once_as_soon_as_it_is_whole() -> None:
    scanner = ChunkScanner(INIT)
    told: list[tuple[int, MediaChunk]] = []

    for size in range(len(CHUNKED) + 1):
        told += [(size, chunk) for chunk in scanner.scan(CHUNKED[:size])]

    assert [size for size, _ in told] == [chunk.end for _, chunk in told]
    assert [chunk.start for _, chunk in told] == [0, *(chunk.end for _, chunk in told[:-1])]
    assert told[-1][1].end == len(CHUNKED) == scanner.complete_bytes
    assert scanner.finish(CHUNKED) == []


@settings(max_examples=50, deadline=None)
@given(cuts=st.lists(st.integers(0, len(CHUNKED)), max_size=12))
def test_chunks_do_not_depend_on_how_the_bytes_arrive(cuts: list[int]) -> None:
    scanner = ChunkScanner(INIT)
    chunks: list[MediaChunk] = []
    for size in [*sorted(cuts), len(CHUNKED)]:
        chunks += scanner.scan(bytearray(CHUNKED[:size]))

    assert [(chunk.n_samples, chunk.duration, chunk.is_independent) for chunk in chunks] == [(10, 30000, True)] * 3
    assert [(chunk.earliest, chunk.latest) for chunk in chunks] == [(0, 30000), (30000, 60000), (60000, 90000)]
    whole = read_segment(CHUNKED, INIT).samples
    assert [chunk.decode_time for chunk in chunks] == [whole[0].dts, whole[10].dts, whole[20].dts]


def test_media_data_to_the_end_of_the_file_is_whole_when_the_file_is() -> None:
    (_, moof), (_, mdat) = split(make_video(segments=1, frames=10).segments[0])
    data = box(b"moof", moof) + struct.pack(">I4s", 0, b"mdat") + mdat
    scanner = ChunkScanner(INIT)

    assert scanner.scan(data) == []
    (chunk,) = scanner.finish(data)
    assert (chunk.end, chunk.n_samples) == (len(data), 10)


def test_chunk_with_a_64_bit_size_is_found() -> None:
    (_, moof), (_, mdat) = split(make_audio().segments[0])

    def shift(kind: bytes, body: bytes) -> bytes:
        is_run = kind == b"trun"
        return (
            box(kind, body[:8], words(int.from_bytes(body[8:12], "big") + 8), body[12:]) if is_run else box(kind, body)
        )

    data = rewrite(box(b"moof", moof), shift) + struct.pack(">I4sQ", 1, b"mdat", 16 + len(mdat)) + mdat

    (chunk,) = ChunkScanner(read_init(make_audio().init)).scan(data)
    assert chunk.end == len(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (CHUNKED[:-5], "the last chunk is truncated"),
        (CHUNKED + b"\0\0", "2 bytes left"),
        (box(b"moof", dict(split(CHUNKED))[b"moof"]), "no media data"),
        (2 * box(b"moof", dict(split(CHUNKED))[b"moof"]), "comes before the media data"),
        (struct.pack(">I4s", 4, b"moof"), "less than its own header"),
        (struct.pack(">I4s", 2**31, b"moof"), "nonsense"),
    ],
)
def test_broken_chunks_are_decode_errors(data: bytes, message: str) -> None:
    scanner = ChunkScanner(INIT)

    with pytest.raises(DecodeError, match=message):
        scanner.finish(data)
