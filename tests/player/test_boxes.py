"""Box readers against what PyAV packages, decodes and demuxes, and against damage."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import av
import pytest
from av.audio.codeccontext import AudioCodecContext
from av.video.codeccontext import VideoCodecContext
from hypothesis import given, settings
from hypothesis import strategies as st

from cushion_player.boxes import InitInfo, read_init, read_segment, read_sidx, read_tracks
from cushion_player.errors import DecodeError, MediaError, UnsupportedCodec
from tests.player.boxes_media import MadeTrack, make_audio, make_video
from tests.player.boxes_writing import box, full, words


def decode_all(track: MadeTrack, info: InitInfo) -> int:
    """Frames of video, or samples of audio, that come out of a decoder fed by our own reading."""
    context = av.CodecContext.create(info.codec, "r")
    assert isinstance(context, VideoCodecContext | AudioCodecContext)
    context.extradata = info.extradata
    frames: list[av.VideoFrame | av.AudioFrame] = []
    for segment in track.segments:
        for sample in read_segment(segment, info).samples:
            frames += context.decode(av.Packet(segment[sample.offset : sample.offset + sample.size]))
    frames += context.decode(None)
    return sum(frame.samples if isinstance(frame, av.AudioFrame) else not frame.is_corrupt for frame in frames)


TRACK = InitInfo(1, 1000, "vide", "h264", "avc1.42c00a", b"", default_duration=40, default_size=5)

# --------------------------------------------------------------------------- initialisation segments


@pytest.mark.parametrize(
    ("codec", "decoder", "prefix"),
    [
        ("libx264", "h264", "avc1.4d400a"),
        ("libx265", "hevc", "hev1.1.6.L30."),
        ("libsvtav1", "libdav1d", "av01.0.00M.08"),
        ("libvpx-vp9", "vp9", "vp09.00."),
    ],
)
def test_video_of_every_codec_decodes_whole_from_our_reading(codec: str, decoder: str, prefix: str) -> None:
    track = make_video(codec)

    info = read_init(track.init)

    assert (info.handler, info.codec, info.width_px, info.height_px) == ("vide", decoder, 96, 64)
    assert info.codec_string.startswith(prefix)
    assert decode_all(track, info) == 180


@pytest.mark.parametrize(
    ("codec", "decoder", "name"),
    [
        ("aac", "aac", "mp4a.40.2"),
        ("libopus", "opus", "opus"),
        ("flac", "flac", "flac"),
        ("ac3", "ac3", "ac-3"),
        ("eac3", "eac3", "ec-3"),
    ],
)
def test_audio_of_every_codec_decodes_whole_from_our_reading(codec: str, decoder: str, name: str) -> None:
    track = make_audio(codec)

    info = read_init(track.init)

    assert (info.handler, info.codec, info.codec_string) == ("soun", decoder, name)
    assert (info.timescale, info.sample_rate_hz, info.channels) == (48000, 48000, 2)
    assert decode_all(track, info) >= 270_000


@pytest.mark.parametrize("codec", ["aac", "libopus", "flac"])
def test_extradata_is_what_the_encoder_made(codec: str) -> None:
    track = make_audio(codec)

    assert read_init(track.init).extradata == track.extradata


def test_muxed_init_gives_both_tracks() -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4", options={"movflags": "+empty_moov+frag_keyframe"}) as container:
        video = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        video.width, video.height = 64, 48
        container.add_stream("aac", rate=44100)
        container.start_encoding()
    data = buffer.getvalue()

    assert [info.handler for info in read_tracks(data)] == ["vide", "soun"]
    assert read_init(data, "soun").sample_rate_hz == 44100
    assert read_init(data).handler == "vide"


def test_unknown_entry_is_an_unsupported_codec() -> None:
    with pytest.raises(UnsupportedCodec, match="no decoder for 'dvh1' here"):
        read_init(make_video().init.replace(b"avc1", b"dvh1"))


@pytest.mark.parametrize(
    ("edits", "edit_start"),
    [
        ([(0, 512)], 512),
        ([(100, -1), (0, 512)], 512 - 9000),  # an empty edit of 100 ms comes first
        ([(100, -1)], -9000),
        ([(50, 7), (50, 900)], 7),
    ],
)
@pytest.mark.parametrize("version", [0, 1])
def test_edit_list_gives_what_to_take_off(edits: list[tuple[int, int]], edit_start: int, version: int) -> None:
    init = make_video("libvpx-vp9").init
    layout = ">Qqi" if version else ">Iii"
    body = b"".join(struct.pack(layout, duration, media_time, 1 << 16) for duration, media_time in edits)
    edts = box(b"edts", full(b"elst", version, 0, words(len(edits)), body))

    info = read_init(insert_in_trak(init, edts))

    assert info.edit_start == edit_start


def insert_in_trak(init: bytes, extra: bytes) -> bytes:
    """`init` with the track's own edit list renamed away and `extra` in its place at the end of trak."""
    data = bytearray(init.replace(b"edts", b"free"))
    moov, trak = data.index(b"moov") - 4, data.index(b"trak") - 4
    trak_size = int.from_bytes(data[trak : trak + 4], "big")
    data[trak + trak_size : trak + trak_size] = extra
    for at in (moov, trak):
        size = int.from_bytes(data[at : at + 4], "big") + len(extra)
        data[at : at + 4] = size.to_bytes(4, "big")
    return bytes(data)


# --------------------------------------------------------------------------- media segments


def test_samples_carry_the_encoders_times_less_the_edit_list() -> None:
    track = make_video("libx264")
    info = read_init(track.init)

    for segment, packets in zip(track.segments, track.packets, strict=True):
        samples = read_segment(segment, info).samples
        ours = [(sample.dts, sample.cts, sample.is_sync) for sample in samples]
        ticks = int(info.timescale * track.time_base)
        assert ours == [(packet.dts * ticks, packet.pts * ticks, packet.is_keyframe) for packet in packets]


def test_samples_agree_with_ffmpegs_demuxer() -> None:
    track = make_video("libx264")
    info = read_init(track.init)
    joined = track.init + track.segments[0]

    samples = read_segment(track.segments[0], info).samples

    with av.open(io.BytesIO(joined), "r") as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        ours = [
            (sample.dts, sample.cts, sample.duration, track.segments[0][sample.offset : sample.offset + sample.size])
            for sample in samples
        ]
        assert ours == [(packet.dts, packet.pts, packet.duration, bytes(packet)) for packet in packets]


def test_segments_follow_one_another_without_gap() -> None:
    track = make_video("libx264")
    info = read_init(track.init)

    spans = [(part.start, part.end) for part in (read_segment(segment, info) for segment in track.segments)]

    assert spans == [(0, 180000), (180000, 360000), (360000, 540000)]


def test_audio_priming_before_zero_has_negative_times() -> None:
    track = make_audio("aac")

    first = read_segment(track.segments[0], read_init(track.init))

    assert first.samples[0].cts == -1024


def test_other_boxes_between_fragments_are_passed_over() -> None:
    track = make_video("libx264")
    info = read_init(track.init)
    head = box(b"styp", b"msdh") + full(b"prft", 1, 24, bytes(20)) + full(b"emsg", 1, 0, bytes(30))

    parts = read_segment(head + track.segments[0] + box(b"free") + track.segments[1], info)

    assert len(parts.samples) == 120
    assert parts.samples[0].offset == read_segment(track.segments[0], info).samples[0].offset + len(head)


def test_runs_without_offsets_follow_one_another() -> None:
    tfhd = full(b"tfhd", 0, 0x020000, words(1))
    tfdt = full(b"tfdt", 0, 0, words(100))
    first = full(b"trun", 1, 0x000B01, words(2, 0, 40, 3, -40, 40, 4, 0))
    second = full(b"trun", 0, 0x000204, words(2, 0x02000000, 6, 7))
    moof_size = len(box(b"moof", box(b"traf", tfhd, tfdt, first, second)))
    first = full(b"trun", 1, 0x000B01, words(2, moof_size + 8, 40, 3, -40, 40, 4, 0))
    data = box(b"moof", box(b"traf", tfhd, tfdt, first, second)) + box(b"mdat", bytes(20))

    samples = read_segment(data, TRACK).samples

    at = moof_size + 8
    assert [sample.offset - at for sample in samples] == [0, 3, 7, 13]
    assert [sample.dts for sample in samples] == [100, 140, 180, 220]
    assert [sample.cts for sample in samples] == [60, 140, 180, 220]


def test_base_data_offset_counts_from_the_start_of_the_file() -> None:
    tfhd = full(b"tfhd", 0, 0x000001 | 0x000010, words(1), struct.pack(">Q", 5000), words(4))
    traf = box(b"traf", tfhd, full(b"tfdt", 1, 0, struct.pack(">Q", 7)), full(b"trun", 0, 1, words(1, 96)))
    data = box(b"moof", traf) + box(b"mdat", bytes(20))

    info = read_segment(data, TRACK, file_position=5000)

    assert (info.samples[0].offset, info.samples[0].size, info.samples[0].duration) == (96, 4, 40)


def test_samples_of_other_tracks_are_left_out() -> None:
    def traf(track_id: int) -> bytes:
        parts = full(b"tfhd", 0, 0x020000, words(track_id)), full(b"tfdt", 0, 0, words(0))
        return box(b"traf", *parts, full(b"trun", 0, 1, words(1, 150)))

    data = box(b"moof", traf(2), traf(1)) + box(b"mdat", bytes(40))

    assert len(read_segment(data, TRACK).samples) == 1


# --------------------------------------------------------------------------- segment index


def test_sidx_gives_anchor_durations_and_sizes() -> None:
    references = words(1000, 2000, 1 << 31, 1 << 31 | 500, 4000, 0)
    data = box(b"styp", b"msdh") + full(b"sidx", 0, 0, words(1, 1000, 10, 16), struct.pack(">HH", 0, 2), references)

    index = read_sidx(data, file_position=700)

    assert (index.timescale, index.earliest, index.anchor) == (1000, 10, 700 + len(data) + 16)
    assert [reference[:3] for reference in index.references] == [(False, 1000, 2000), (True, 500, 4000)]


def test_sidx_followed_by_cut_media_is_read() -> None:
    sidx = full(b"sidx", 1, 0, words(1, 1000), struct.pack(">QQHH", 0, 0, 0, 1), words(9, 9, 0))

    assert len(read_sidx(sidx + box(b"moof", bytes(100))[:30]).references) == 1


# --------------------------------------------------------------------------- damage


@pytest.mark.parametrize("cut", [0, 4, 30, 100, 400, 3000])
def test_truncated_segment_names_the_place(cut: int) -> None:
    track = make_video("libx264")

    with pytest.raises(DecodeError, match=r"byte|no movie fragment"):
        read_segment(track.segments[0][:cut], read_init(track.init))


def test_html_instead_of_media_is_a_decode_error() -> None:
    with pytest.raises(DecodeError):
        read_init(b"<!DOCTYPE html><html><body>404</body></html>")


def test_a_run_that_claims_billions_of_samples_is_refused_at_once() -> None:
    traf = box(
        b"traf",
        full(b"tfhd", 0, 0x020010, words(1, 0)),
        full(b"tfdt", 0, 0, words(0)),
        full(b"trun", 0, 0, words(2**32 - 1)),
    )

    with pytest.raises(DecodeError, match="nonsense"):
        read_segment(box(b"moof", traf), TRACK)


def test_samples_that_share_bytes_are_refused() -> None:
    traf = box(
        b"traf",
        full(b"tfhd", 0, 0x020000, words(1)),
        full(b"tfdt", 0, 0, words(0)),
        full(b"trun", 0, 0x201, words(1, 0, 100)) * 3,
    )

    with pytest.raises(DecodeError, match="shares bytes with samples before it: 300 of 228 are claimed"):
        read_segment(box(b"moof", traf) + box(b"mdat", bytes(100)), TRACK)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged_media_gives_a_result_or_a_media_error(data: st.DataObject) -> None:
    track = make_video("libx264") if data.draw(st.booleans()) else make_audio("aac")
    info = read_init(track.init)
    damaged = bytearray(data.draw(st.sampled_from([track.init, track.segments[0]])))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, min(len(damaged), 900) - 1))
        value = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
        damaged[at] = value
    cut = bytes(damaged[: data.draw(st.integers(0, len(damaged)))] if data.draw(st.booleans()) else damaged)

    readers: tuple[Callable[[bytes], object], ...] = (
        read_init,
        read_tracks,
        read_sidx,
        partial(read_segment, init=info),
    )
    for read in readers:
        with suppress(MediaError):
            read(cut)
