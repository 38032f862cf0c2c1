"""Media files cut into segments of packets: all frames, once, from whichever segment one starts."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from cushion_player.errors import DecodeError, UnsupportedCodec
from cushion_player.media import media_file
from cushion_player.media.decode import Frame, TrackDecoder
from cushion_player.media.media_file import MediaFile, sniff
from cushion_player.model import Container
from cushion_player.outputs import MediaFormat
from cushion_player.timeline import TrackKind
from tests.player.media.samples import SPEC, Encoded, code_of, copy_packet, encode_audio, encode_video, mux

V, A = TrackKind.VIDEO, TrackKind.AUDIO
CASES = {
    "film.mp4": ("mp4", "libx264", "aac"),
    "fragmented.mp4": ("mp4", "libx264", "aac"),
    "film.mov": ("mov", "libx265", "aac"),
    "film.mkv": ("matroska", "libx264", "flac"),
    "film.webm": ("webm", "libvpx-vp9", "libopus"),
    "film.ts": ("mpegts", "libx264", "libmp3lame"),
}
OPTIONS = {"fragmented.mp4": {"movflags": "+frag_keyframe+empty_moov"}, "film.ts": {"mpegts_copyts": "1"}}


def write(folder: Path, name: str, streams: list[Encoded], container: str) -> Path:
    path = folder / name
    shift_s = Fraction(10) if container == "mpegts" else Fraction(0)
    options = OPTIONS.get(name, {})
    path.write_bytes(mux(container, [(each, each.packets) for each in streams], shift_s, **options))
    return path


def opened(path: Path) -> MediaFile:
    container = sniff(path.read_bytes()[:200])
    return MediaFile(lambda: str(path), container)


@pytest.fixture(autouse=True)
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_file, "SEGMENT_US", 900_000)


def decoded(file: MediaFile, kind: TrackKind, segments: list[bytes]) -> list[Frame]:
    decoder = TrackDecoder(kind)
    decoder.switch(MediaFormat(0, Container.PACKETS, file.init(kind)))
    frames = [frame for segment in segments for frame in decoder.decode(segment, 0, 0)]
    frames += decoder.drain()
    assert decoder.corrupt == 0
    return frames


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_frame_comes_once_and_from_any_segment_on(tmp_path: Path, name: str) -> None:
    container, video, audio = CASES[name]
    file = opened(write(tmp_path, name, [encode_video(video), encode_audio(audio)], container))
    for kind in (V, A):
        track = file.track(kind)
        assert track is not None
        count = len(track.starts_us) - 1
        assert count == 2

        in_order = [file.segment(kind, index) for index in range(count)]
        backwards = [file.segment(kind, index) for index in reversed(range(count))]

        assert backwards[::-1] == in_order
        frames = decoded(file, kind, in_order)
        if kind is V:
            assert [code_of(frame) for frame in frames] == list(range(SPEC.n_frames))
            assert [code_of(frame) for frame in decoded(file, kind, in_order[1:])] == list(range(30, 60))
            assert frames[0].pts == pytest.approx(file.start_us, abs=70_000)
        else:
            times = [frame.pts for frame in frames if frame.pts is not None]
            assert times == sorted(set(times))
            assert times[-1] - times[0] > 1_800_000
    assert file.duration_us == pytest.approx(2_000_000, abs=70_000)
    file.close()


@pytest.mark.parametrize(("name", "container", "audio"), [("a.mp3", "mp3", "libmp3lame"), ("a.flac", "flac", "flac")])
def test_sound_alone_is_cut_by_the_clock(tmp_path: Path, name: str, container: str, audio: str) -> None:
    file = opened(write(tmp_path, name, [encode_audio(audio)], container))
    track = file.track(A)
    assert file.track(V) is None
    assert track is not None

    segments = [file.segment(A, index) for index in range(len(track.starts_us) - 1)]

    assert len(segments) == 2
    assert len(decoded(file, A, segments)) == pytest.approx(len(encode_audio(audio).packets), abs=2)
    file.close()


@pytest.mark.parametrize(("turn_deg", "clockwise_deg"), [(0, 0), (90, 270), (180, 180), (-90, 90)])
def test_turning_and_shape_of_pixels_come_from_the_container(tmp_path: Path, turn_deg: int, clockwise_deg: int) -> None:
    encoded = encode_video("libx264")
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream_from_template(encoded.encoder)
        assert isinstance(stream, av.VideoStream)
        stream.codec_context.extradata = encoded.encoder.codec_context.extradata
        stream.sample_aspect_ratio = Fraction(4, 3)
        stream.set_display_rotation(turn_deg)
        for packet in encoded.packets:
            copy = copy_packet(packet, Fraction(0))
            copy.stream = stream
            container.mux(copy)
    file = opened(path)

    track = file.track(V)
    assert track is not None
    config = track.config
    assert config.rotation_deg == clockwise_deg
    assert (config.pixel_width, config.pixel_height) == (4, 3)
    assert track.frame_rate == SPEC.frame_rate
    assert len(decoded(file, V, [file.segment(V, 0), file.segment(V, 1)])) == SPEC.n_frames
    file.close()


def test_each_stream_lasts_as_long_as_itself(tmp_path: Path) -> None:
    video, audio = encode_video("libx264"), encode_audio("aac")
    path = tmp_path / "film.mkv"
    late = [copy_packet(packet, Fraction(0)) for packet in audio.packets[60:]]  # from 1.28 s on
    path.write_bytes(mux("matroska", [(video, video.packets[:30]), (audio, late)]))
    file = opened(path)

    pictures, sound = file.track(V), file.track(A)
    assert pictures is not None
    assert sound is not None
    assert pictures.starts_us[0] == file.start_us
    assert sound.starts_us[0] == pytest.approx(1_259_000, abs=30_000)
    assert sound.starts_us[-1] == file.start_us + file.duration_us
    file.close()


@pytest.mark.parametrize("junk", [b"", b"#EXTM3U\n", b"<MPD>", b"<html>", b"ffconcat version 1.0\n", bytes(200)])
def test_what_is_no_media_file_is_not_taken_for_one(junk: bytes) -> None:
    assert sniff(junk) == ""


def test_a_broken_file_is_an_error_of_ours(tmp_path: Path) -> None:
    path = write(tmp_path, "film.mp4", [encode_video("libx264")], "mp4")
    path.write_bytes(path.read_bytes()[:3000])

    with pytest.raises(DecodeError):
        opened(path)


def test_a_file_without_anything_to_play_says_so(tmp_path: Path) -> None:
    path = write(tmp_path, "film.mkv", [encode_video("libx264")], "matroska")
    path.write_bytes(path.read_bytes().replace(b"V_MPEG4/ISO/AVC", b"V_MPEG4/XYZ/AVC"))

    with pytest.raises(UnsupportedCodec, match="the file has"):
        opened(path)


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_mulaw", "pcm_alaw"])
def test_waves_play_as_they_are_coded(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=8000, layout="mono")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame("s16", "mono", 8000)
        frame.sample_rate, frame.pts = 8000, 0
        frame.planes[0].update(bytes(16_000))
        container.mux([*stream.encode(frame), *stream.encode(None)])
    file = opened(path)
    track = file.track(A)
    assert track is not None

    frames = decoded(file, A, [file.segment(A, index) for index in range(len(track.starts_us) - 1)])

    assert sum(frame.samples for frame in frames if isinstance(frame, av.AudioFrame)) == 8000
    file.close()
