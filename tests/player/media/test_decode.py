"""The decoder against the reference film: every frame, once, in order, whatever the rungs do."""

from __future__ import annotations

import av
import numpy as np
import pytest

from cushion_player.errors import DecodeError, UnsupportedCodec
from cushion_player.media.decode import Frame, TrackDecoder
from cushion_player.media.film import beep_onsets, beep_samples, read_frame_code
from cushion_player.model import Container
from cushion_player.outputs import MediaFormat
from cushion_player.timeline import TrackKind
from tests.player.media.film_ladder import FilmLadder


def mp4(init: bytes) -> MediaFormat:
    return MediaFormat(0, Container.MP4, init)


def codes(frames: list[Frame]) -> list[int | None]:
    return [read_frame_code(luma(frame)) for frame in frames]


def luma(frame: Frame) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    assert isinstance(frame, av.VideoFrame)
    return frame.to_ndarray(format="gray8").astype(np.uint8)


def test_switching_the_rung_every_segment_loses_and_damages_no_frame(ladder: FilmLadder) -> None:
    decoder = TrackDecoder(TrackKind.VIDEO)
    frames: list[Frame] = []

    for index in range(ladder.n_segments):
        rung = (2, 0, 1)[index % 3]
        frames += decoder.drain()
        decoder.switch(mp4(ladder.inits[rung]))
        frames += decoder.decode(ladder.segments[rung][index], 0, 0)
    frames += decoder.drain()

    assert codes(frames) == list(range(ladder.spec.n_frames))
    assert [frame.pts for frame in frames] == [round(n * 1_000_000 / 30) for n in range(ladder.spec.n_frames)]
    assert decoder.corrupt == 0
    assert {frame.height for frame in frames if isinstance(frame, av.VideoFrame)} == {240, 360, 480}


def test_staying_on_a_rung_is_the_same(ladder: FilmLadder) -> None:
    decoder = TrackDecoder(TrackKind.VIDEO)
    frames: list[Frame] = []
    decoder.switch(mp4(ladder.inits[1]))

    for segment in ladder.segments[1]:
        frames += decoder.decode(segment, 0, 0)
    frames += decoder.drain()

    assert codes(frames) == list(range(ladder.spec.n_frames))


def first_segment(ladder: FilmLadder, late_until_us: int) -> list[int]:
    """The frames of the first segment, by a decoder that is so far behind."""
    decoder = TrackDecoder(TrackKind.VIDEO)
    decoder.switch(mp4(ladder.inits[1]))
    decoder.late_until_us = late_until_us
    frames = [*decoder.decode(ladder.segments[1][0], 0, 0), *decoder.drain()]
    assert decoder.corrupt == 0
    return [code for code in codes(frames) if code is not None]


def test_a_decoder_that_is_behind_leaves_out_only_what_no_other_frame_needs(ladder: FilmLadder) -> None:
    every = first_segment(ladder, 0)
    half = len(every) // 2

    some = first_segment(ladder, half * 1_000_000 // 30)

    assert 0 < len([code for code in some if code < half]) < half
    assert [code for code in some if code >= half + 2] == every[half + 2 :]


def test_the_offset_moves_every_timestamp(ladder: FilmLadder) -> None:
    decoder = TrackDecoder(TrackKind.VIDEO)
    decoder.switch(mp4(ladder.inits[0]))

    frames = [*decoder.decode(ladder.segments[0][3], 0, 2_500_000), *decoder.drain()]

    assert frames[0].pts == 500_000
    assert codes(frames)[0] == 90


def test_any_segment_can_follow_a_reset(ladder: FilmLadder) -> None:
    decoder = TrackDecoder(TrackKind.VIDEO)
    decoder.switch(mp4(ladder.inits[0]))
    list(decoder.decode(ladder.segments[0][0], 0, 0))

    decoder.reset()
    frames = [*decoder.decode(ladder.segments[0][4], 0, 0), *decoder.drain()]

    assert codes(frames) == list(range(120, 150))


def test_the_run_up_may_leave_out_frames_but_none_that_is_wanted(ladder: FilmLadder) -> None:
    decoder = TrackDecoder(TrackKind.VIDEO)
    decoder.switch(mp4(ladder.inits[0]))

    frames = [*decoder.decode(ladder.segments[0][0], 0, 0, wanted_from_us=700_000), *decoder.drain()]

    numbers = codes(frames)
    assert [number for number in numbers if number is not None and number >= 21] == list(range(21, 30))
    assert len(numbers) < 30


def test_audio_is_sample_exact_after_its_edit_list(ladder: FilmLadder) -> None:
    decoder = TrackDecoder(TrackKind.AUDIO)
    frames: list[Frame] = []
    decoder.switch(mp4(ladder.audio_init))
    for segment in ladder.audio_segments:
        frames += decoder.decode(segment, 0, 0)

    assert all(isinstance(frame, av.AudioFrame) for frame in frames)
    first = frames[0].pts
    assert first is not None
    assert first < 0
    sound = np.concatenate([frame.to_ndarray() for frame in frames], axis=1).T.astype(np.float32)
    onsets = np.array(beep_onsets(sound, 48_000)) + first / 1e6
    assert onsets == pytest.approx([sample / 48_000 for sample in beep_samples(ladder.spec)], abs=0.002)


def test_an_audio_decoder_that_is_told_the_same_again_carries_on(ladder: FilmLadder) -> None:
    def decode(switch_each: bool) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        decoder = TrackDecoder(TrackKind.AUDIO)
        frames: list[Frame] = []
        decoder.switch(mp4(ladder.audio_init))
        for segment in ladder.audio_segments[:3]:
            if switch_each:
                decoder.switch(mp4(ladder.audio_init))
            frames += decoder.decode(segment, 0, 0)
        return np.concatenate([frame.to_ndarray() for frame in frames], axis=1).astype(np.float32)

    assert np.array_equal(decode(switch_each=True), decode(switch_each=False))


def test_damaged_pictures_are_counted_and_left_out(ladder: FilmLadder) -> None:
    decoder = TrackDecoder(TrackKind.VIDEO)
    decoder.switch(mp4(ladder.inits[1]))
    segment = bytearray(ladder.segments[1][0])
    middle = len(segment) // 2
    segment[middle : middle + 4000] = bytes(4000)

    frames = [*decoder.decode(bytes(segment), 0, 0), *decoder.drain()]

    assert decoder.corrupt > 0
    assert len(frames) < 30
    numbers = codes(frames)
    assert all(number is None or number in range(30) for number in numbers)


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_a_truncated_segment_gives_its_whole_frames_and_says_how_many_are_missing(
    ladder: FilmLadder, cut: float
) -> None:
    decoder = TrackDecoder(TrackKind.VIDEO)
    decoder.switch(mp4(ladder.inits[0]))
    segment = ladder.segments[0][0]

    frames = [*decoder.decode(segment[: int(len(segment) * cut)], 0, 0), *decoder.drain()]

    assert "truncated" in decoder.damage
    missing = int(decoder.damage.rpartition("(")[2].split()[0])
    assert len(frames) == 30 - missing
    assert missing > 0
    assert decoder.corrupt == 0
    assert set(codes(frames)) <= set(range(30))


def test_a_segment_truncated_before_its_media_is_an_error(ladder: FilmLadder) -> None:
    decoder = TrackDecoder(TrackKind.VIDEO)
    decoder.switch(mp4(ladder.inits[0]))

    with pytest.raises(DecodeError, match="truncated"):
        list(decoder.decode(ladder.segments[0][0][:100], 0, 0))


def test_a_segment_without_its_init_is_an_error(ladder: FilmLadder) -> None:
    with pytest.raises(DecodeError, match="no initialisation segment"):
        list(TrackDecoder(TrackKind.VIDEO).decode(ladder.segments[0][0], 0, 0))


def test_a_codec_without_a_decoder_is_named(ladder: FilmLadder) -> None:
    init = ladder.inits[0].replace(b"avc1", b"zzzz")

    with pytest.raises(UnsupportedCodec, match="zzzz"):
        TrackDecoder(TrackKind.VIDEO).switch(mp4(init))
