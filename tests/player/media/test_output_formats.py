"""DecodedOutput over containers, codecs, discontinuities and chunks: what is seen and heard, in virtual time."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise

import pytest

from cushion_player.media.demux import CodecConfig
from cushion_player.media.demux.packets import write_init, write_segment
from cushion_player.model import Container
from cushion_player.outputs import DecodeFault, MediaFormat, MediaSegment
from cushion_player.timeline import TrackKind
from tests.player.media.film_ladder import FilmLadder
from tests.player.media.playing import BOTH, Playing
from tests.player.media.samples import (
    Encoded,
    encode_audio,
    encode_video,
    fragmented,
    mux,
    timestamp_tag,
    ts_segments,
    webm,
)

V, A = TrackKind.VIDEO, TrackKind.AUDIO


def feed(
    playing: Playing,
    track: TrackKind,
    media_format: MediaFormat,
    segments: list[bytes],
    first: int,
    offset_us: int | None,
) -> None:
    playing.output.switch_format(track, media_format)
    for index, data in enumerate(segments, first):
        playing.output.feed(track, MediaSegment(index * 1_000_000, (index + 1) * 1_000_000, offset_us, data))


def ts(discontinuity: int = 0) -> MediaFormat:
    return MediaFormat(0, Container.MPEG_TS, b"", discontinuity=discontinuity)


def muxed(shift_s: int) -> list[bytes]:
    return ts_segments(encode_video("libx264"), encode_audio("aac"), shift_s=Fraction(shift_s))


async def play(playing: Playing, seconds: float) -> None:
    playing.end()
    await playing.settle()
    playing.output.start(0, 1.0)
    await playing.run(round(seconds * 1e6))


def assert_in_sync(playing: Playing, beeps: int, tolerance_s: float = 0.010) -> None:
    assert len(playing.flash_times_s()) == beeps
    assert playing.beep_times_s()[:beeps] == pytest.approx(playing.flash_times_s(), abs=tolerance_s)


async def test_muxed_transport_streams_play_in_sync_across_a_discontinuity(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        # The second part's clock stands elsewhere, and wraps while it plays.
        for part, (number, shift_s) in enumerate([(0, 10), (1, (1 << 33) // 90_000)]):
            for track in (V, A):
                feed(playing, track, ts(number), muxed(shift_s), part * 2, None)

        await play(playing, 4.1)

        assert playing.codes() == [*range(60), *range(60)]
        assert_in_sync(playing, 4)
        assert playing.listener.count("failed") == 0


async def test_codec_size_rate_and_channels_may_change_in_mid_play(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        avc_init, avc = fragmented(encode_video("libx264"))
        feed(playing, V, MediaFormat(0, Container.MP4, avc_init), avc[:1], 0, 0)
        vp9_init, vp9 = webm("libvpx-vp9")
        feed(playing, V, MediaFormat(1, Container.WEBM, vp9_init), vp9[1:], 1, 0)
        feed(playing, V, MediaFormat(2, Container.MP4, ladder.inits[2]), ladder.segments[2][2:3], 2, 0)
        aac_init, aac = fragmented(encode_audio("aac"))
        feed(playing, A, MediaFormat(0, Container.MP4, aac_init), aac[:1], 0, 0)
        mp3_init, mp3 = fragmented(encode_audio("libmp3lame", 44_100, "mono"))
        feed(playing, A, MediaFormat(1, Container.MP4, mp3_init), mp3[1:2], 1, 0)
        feed(playing, A, MediaFormat(2, Container.MP4, ladder.audio_init), ladder.audio_segments[2:3], 2, 0)

        await play(playing, 3.1)

        assert playing.codes() == list(range(90))
        assert {frame.height_px for frame in playing.seen} == {240, 480}
        # Where the encoders differ there is nothing before a join to start from: up to a packet of MP3 is missing.
        assert_in_sync(playing, 3, 0.027)


def chunks(encoded: Encoded, size: int) -> tuple[bytes, list[bytes]]:
    """The initialisation segment, and pieces of `size` frames, each frame a moof and mdat."""
    flags = "+frag_every_frame+delay_moov+default_base_moof+skip_trailer"
    data = mux("mp4", [(encoded, encoded.packets)], Fraction(0), movflags=flags)
    starts = [match.start() - 4 for match in re.finditer(b"moof", data)]
    frames = [data[start:stop] for start, stop in pairwise([*starts, len(data)])]
    return data[: starts[0]], [b"".join(frames[at : at + size]) for at in range(0, len(frames), size)]


async def test_chunks_fed_one_by_one_as_they_arrive_lose_nothing(ladder: FilmLadder) -> None:
    init, parts = chunks(encode_video("libx264"), 6)
    async with Playing(ladder) as playing:
        playing.output.prepare(0, frozenset({V}))
        playing.output.switch_format(V, MediaFormat(0, Container.MP4, init))
        for index, data in enumerate(parts):
            start_us = index * 200_000
            is_last = index % 5 == 4
            playing.output.feed(V, MediaSegment(start_us, start_us + 200_000, 0, data, is_last_chunk=is_last))
            if index == 1:
                await playing.settle()
                playing.output.start(0, 1.0)
            if index >= 1:  # each is decoded before the next arrives: the decoder has nothing else to do
                await playing.run(180_000)
        playing.output.end_track(V)
        await playing.run(600_000)

        assert playing.codes() == list(range(60))
        assert playing.output.stats().frames_corrupt == 0
        assert playing.listener.count("failed") == 0


async def test_a_switch_to_the_same_format_changes_nothing(ladder: FilmLadder) -> None:
    init, parts = chunks(encode_video("libx264"), 6)
    async with Playing(ladder) as playing:
        playing.output.prepare(0, frozenset({V}))
        for index, data in enumerate(parts):
            playing.output.switch_format(V, MediaFormat(0, Container.MP4, init))
            playing.output.feed(V, MediaSegment(index * 200_000, (index + 1) * 200_000, 0, data, is_last_chunk=False))
        playing.output.end_track(V)
        await playing.settle()
        playing.output.start(0, 1.0)
        await playing.run(2_100_000)

        assert playing.codes() == list(range(60))


async def test_a_truncated_segment_shows_what_is_there_and_the_next_goes_on(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, frozenset({V}))
        segments = list(ladder.segments[1][:3])
        segments[1] = segments[1][: len(segments[1]) // 2]
        feed(playing, V, MediaFormat(1, Container.MP4, ladder.inits[1]), segments, 0, 0)

        await play(playing, 3.1)

        codes = playing.codes()
        assert codes[:30] == list(range(30))
        assert codes[-30:] == list(range(60, 90))
        assert len(codes) > 65
        (failure,) = [entry for entry in playing.listener.told if entry[0] == "failed"]
        assert "truncated" in str(failure[2])
        assert failure[3:] == (False, DecodeFault.DECODE)


async def test_packed_sound_beside_transport_stream_pictures(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        feed(playing, V, ts(), ts_segments(encode_video("libx264"), shift_s=Fraction(10)), 0, None)
        sound = encode_audio("aac")
        body = mux("adts", [(sound, sound.packets)])
        tag = timestamp_tag(900_000 - 1024 * 90_000 // 48_000)
        feed(playing, A, MediaFormat(0, Container.PACKED_AUDIO, b""), [tag + body], 0, None)

        await play(playing, 2.1)

        assert playing.codes() == list(range(60))
        assert_in_sync(playing, 2)


async def test_a_stream_that_cannot_be_decoded_is_told_as_such_and_left_out(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        silent = ts_segments(encode_video("libx264"), shift_s=Fraction(10))
        feed(playing, A, ts(), silent, 0, None)
        await playing.settle()

        ((_, track, message, fatal, code),) = playing.listener.told
        assert (track, fatal, code) == (A, False, DecodeFault.CODEC)
        assert "carries no audio" in str(message)


def shared(container: Container, init: bytes = b"") -> MediaFormat:
    return MediaFormat(0, container, init, is_shared=True)


@pytest.mark.parametrize("kind", [V, A])
@pytest.mark.parametrize("container", [Container.MPEG_TS, Container.MP4])
async def test_what_is_fed_to_both_tracks_need_not_carry_both(
    ladder: FilmLadder, kind: TrackKind, container: Container
) -> None:
    encoded = encode_video("libx264") if kind is V else encode_audio("aac")
    init, segments = (
        fragmented(encoded) if container is Container.MP4 else (b"", ts_segments(encoded, shift_s=Fraction(10)))
    )
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        for track in (V, A):
            feed(playing, track, shared(container, init), segments, 0, None)

        await play(playing, 2.3)

        assert playing.listener.count("failed") == playing.listener.count("starved") == 0
        assert playing.codes() == (list(range(60)) if kind is V else [])
        assert len(playing.beep_times_s()) == (0 if kind is V else 2)
        assert playing.output.stats().position_us == pytest.approx(2_300_000, abs=50_000)


async def test_sound_may_be_missing_from_some_of_what_both_tracks_are_fed_with(ladder: FilmLadder) -> None:
    silent = ts_segments(encode_video("libx264"), shift_s=Fraction(10))
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        for track in (V, A):
            for part, segments in enumerate([silent, muxed(10), silent]):
                media_format = MediaFormat(0, Container.MPEG_TS, b"", discontinuity=part, is_shared=True)
                feed(playing, track, media_format, segments, part * 2, None)

        await play(playing, 6.1)

        assert playing.listener.count("failed") == playing.listener.count("starved") == 0
        assert playing.codes() == [*range(60)] * 3
        flashes = playing.flash_times_s()
        assert len(flashes) == 6
        assert playing.beep_times_s() == pytest.approx(flashes[2:4], abs=0.010)


async def test_media_without_anything_that_is_wanted_is_told(ladder: FilmLadder) -> None:
    packets = ts_segments(encode_audio("aac"))
    async with Playing(ladder) as playing:
        playing.output.prepare(0, frozenset({V}))
        feed(playing, V, shared(Container.MPEG_TS), packets[:1], 0, None)
        await playing.settle()

        ((_, track, message, _, code),) = [entry for entry in playing.listener.told if entry[0] == "failed"]
        assert (track, code) == (V, DecodeFault.CODEC)
        assert "carries no video" in str(message)


async def test_segments_without_sound_are_silence(ladder: FilmLadder) -> None:
    """More than the half minute over which sound is believed to follow sound."""
    async with Playing(ladder) as playing:
        playing.output.prepare(0, frozenset({A}))
        feed(playing, A, packets_of(), [write_segment(()) for _ in range(40)], 0, 0)

        await play(playing, 40.0)

        assert playing.listener.count("failed") == playing.listener.count("starved") == 0
        assert playing.output.stats().position_us == pytest.approx(40_000_000, abs=50_000)


def packets_of() -> MediaFormat:
    return MediaFormat(
        0, Container.PACKETS, write_init(CodecConfig("pcm_s16le", "pcm", sample_rate_hz=8000, channels=1))
    )


async def test_decoded_bytes_are_those_of_the_pictures_and_the_sound_that_wait(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        assert playing.output.stats().decoded_bytes == 0
        playing.output.prepare(0, BOTH)
        playing.feed_video(range(2), rungs=(0,))
        playing.feed_audio(range(2))
        await playing.settle()

        waiting = playing.output.stats().decoded_bytes

        picture = 426 * 240 * 3 // 2
        # Twelve pictures wait, or eleven where the renderer has taken the first already.
        assert 11 * picture < waiting < 12 * picture * 1.3 + 48_000 * 8

        playing.end()
        playing.output.start(0, 1.0)
        await playing.run(2_200_000)
        assert playing.output.stats().decoded_bytes == 0
