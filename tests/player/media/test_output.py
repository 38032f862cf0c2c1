"""DecodedOutput: what is seen and heard, and when, read off the reference film in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import numpy as np
import pytest

from cushion_player.clock import MonotonicClock
from cushion_player.crypt import KeyRing
from cushion_player.media.decode_thread import SegmentWork, SwitchWork
from cushion_player.media.headless import HeadlessRenderer
from cushion_player.media.media_clock import MediaClock
from cushion_player.media.null_audio import NullAudioOutput
from cushion_player.media.output import DecodedOutput
from cushion_player.media.video_track import VideoTrack
from cushion_player.model import Container
from cushion_player.outputs import DecodeFailure, DecodeFault, MediaFormat, MediaOutput
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.outputs import FakeAudioOutput, FakeRenderer, RecordingListener
from cushion_player.timeline import TrackKind
from tests.contracts.media_output_suite import MediaOutputSuite, segment_at
from tests.player.encrypting import KEY, KEY_ID, Recipe, encrypt_init, encrypt_segment
from tests.player.media.film_ladder import FilmLadder
from tests.player.media.playing import BOTH, Playing


@dataclass
class RecordingTrackListener:
    told: list[str] = field(default_factory=list)

    def on_track_progress(self) -> None:
        self.told.append("progress")

    def on_track_absent(self, failure: DecodeFailure) -> None:
        self.told.append("absent")

    def on_track_failed(self, failure: DecodeFailure) -> None:
        self.told.append(failure.message)

    def on_track_metadata(self, time_us: int, data: bytes) -> None:
        self.told.append(f"metadata at {time_us}")


class TestDecodedOutput(MediaOutputSuite):
    def make(self) -> MediaOutput:
        return DecodedOutput(FakeRenderer(), FakeAudioOutput(), MonotonicClock())

    async def settle(self, output: MediaOutput) -> None:
        assert isinstance(output, DecodedOutput)
        async with asyncio.timeout(20):
            while not output.is_settled():  # noqa: ASYNC110 (threads at work cannot be awaited)
                await asyncio.sleep(0.001)
        await asyncio.sleep(0)


async def test_every_frame_is_shown_once_in_order_across_rung_switches(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        playing.feed_video(range(6), rungs=(2, 0, 1))
        playing.feed_audio(range(6))
        playing.end()
        await playing.settle()

        playing.output.start(0, 1.0)
        await playing.run(6_100_000)

        assert playing.codes() == list(range(180))
        stats = playing.output.stats()
        assert (stats.frames_shown, stats.frames_dropped, stats.frames_corrupt) == (180, 0, 0)
        assert (stats.last_frame_us, stats.last_frame_height_px) == (5_966_667, 360)
        assert [frame.rung for frame in playing.seen[::30]] == [2, 0, 1, 2, 0, 1]


async def test_flash_and_beep_meet_within_10_ms(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        playing.feed_video(range(4))
        playing.feed_audio(range(4))
        await playing.settle()

        playing.output.start(0, 1.0)
        await playing.run(3_500_000)

        flashes, beeps = playing.flash_times_s(), playing.beep_times_s()
        assert len(flashes) == len(beeps) == 4
        assert beeps == pytest.approx(flashes, abs=0.010)


async def test_a_seek_into_a_segment_shows_exactly_that_frame_and_its_sound(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(2_510_000, BOTH)
        playing.feed_video(range(2, 6))
        playing.feed_audio(range(2, 6))
        await playing.run(50_000)
        assert playing.codes() == [75]

        playing.output.start(2_510_000, 1.0)
        start_us = playing.clock.now_us()
        await playing.run(1_000_000)

        assert playing.codes() == list(range(75, 106))
        assert playing.beep_times_s() == pytest.approx([(start_us + 490_000) / 1e6], abs=0.001)


async def test_a_seek_while_playing_leaves_nothing_of_the_old_place(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        playing.feed_video(range(6), rungs=(0,))
        playing.feed_audio(range(6))
        playing.output.start(0, 1.0)
        await playing.run(300_000)
        before = len(playing.seen)

        playing.output.stop()
        playing.output.prepare(4_000_000, BOTH)
        playing.output.feed(TrackKind.VIDEO, segment_at(4, ladder.segments[0][4]))
        playing.feed_audio(range(4, 6))
        await playing.settle()
        playing.output.start(4_000_000, 1.0)
        await playing.run(500_000)

        after = playing.codes()[before:]
        assert after == list(range(120, 120 + len(after)))
        assert len(after) == pytest.approx(15.5, abs=1)


async def test_a_seek_that_overtakes_the_first_frame_does_not_leave_the_track_ready(ladder: FilmLadder) -> None:
    clock, listener = FakeClock(), RecordingTrackListener()

    class Overtaken(VideoTrack):
        """A seek comes between a frame's delivery and the word of it."""

        def _become_ready(self, generation: int) -> None:
            self.prepare(4_000_000)
            super()._become_ready(generation)

    track = Overtaken(listener, MediaClock(clock, NullAudioOutput(clock)))
    track.submit(SwitchWork(MediaFormat(0, Container.MP4, ladder.inits[0])))
    track.submit(SegmentWork(segment_at(0, ladder.segments[0][0]), 0))
    async with asyncio.timeout(20):
        while not track.is_settled():  # noqa: ASYNC110 (threads at work cannot be awaited)
            await asyncio.sleep(0.001)

    became_ready = track.is_ready
    track.close()
    assert track.thread is not None
    await asyncio.to_thread(track.thread.join)

    assert not became_ready
    assert listener.told == []


async def test_stop_holds_picture_and_sound_and_start_goes_on(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        playing.feed_video(range(3))
        playing.feed_audio(range(3))
        playing.output.start(0, 1.0)
        await playing.run(500_000)
        playing.output.stop()
        held = playing.output.stats().position_us
        await playing.run(700_000)
        assert playing.output.stats().position_us == held
        seen = len(playing.seen)

        playing.output.start(held, 1.0)
        await playing.run(500_000)

        assert playing.codes() == list(range(len(playing.seen)))
        assert len(playing.seen) - seen == pytest.approx(15, abs=1)


async def test_without_audio_the_monotonic_clock_leads(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(1_000_000, frozenset({TrackKind.VIDEO}))
        playing.feed_video(range(1, 4))
        await playing.settle()
        assert playing.listener.told == [("ready",)]

        playing.output.start(1_000_000, 1.0)
        await playing.run(1_000_000)

        assert playing.codes() == list(range(30, 61))


async def test_video_goes_on_after_the_audio_has_ended(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        playing.feed_video(range(3))
        playing.feed_audio(range(1))
        playing.end()
        await playing.settle()

        playing.output.start(0, 1.0)
        await playing.run(3_100_000)

        assert playing.codes() == list(range(90))
        assert playing.listener.count("starved") == 0


async def test_running_dry_is_told_once_and_playing_goes_on_when_fed(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        playing.feed_video(range(1))
        playing.feed_audio(range(1))
        playing.output.start(0, 1.0)
        await playing.run(1_500_000)
        assert playing.listener.count("starved") == 1
        assert playing.codes() == list(range(30))

        playing.output.stop()
        playing.feed_video(range(1, 3))
        playing.feed_audio(range(1, 3))
        playing.output.start(playing.output.stats().position_us, 1.0)
        await playing.run(1_000_000)

        assert playing.codes() == list(range(len(playing.seen)))
        assert len(playing.seen) >= 55


async def test_positions_come_every_300_ms_and_only_while_running(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        playing.feed_video(range(2))
        playing.feed_audio(range(2))
        await playing.run(300_000)
        assert playing.listener.count("position") == 0

        playing.output.start(0, 1.0)
        await playing.run(1_010_000)

        positions = [entry[1] for entry in playing.listener.told if entry[0] == "position"]
        assert positions == pytest.approx([100_000, 400_000, 700_000, 1_000_000], abs=1_000)


@pytest.mark.parametrize("rate", [0.5, 1.5, 2.0])
async def test_at_another_rate_picture_and_sound_stay_together(ladder: FilmLadder, rate: float) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        playing.feed_video(range(6))
        playing.feed_audio(range(6))
        await playing.settle()

        playing.output.start(0, rate)
        await playing.run(int(4_200_000 / rate))

        flashes, beeps = playing.flash_times_s(), playing.beep_times_s()
        assert len(flashes) >= 4
        # What was in the audio output before the start is heard at the old rate: the first second is shorter.
        assert np.diff(flashes)[1:] == pytest.approx([1 / rate] * (len(flashes) - 2), abs=0.04)
        assert beeps[:4] == pytest.approx(flashes[:4], abs=0.06)


async def test_a_manifest_without_offset_takes_it_from_the_first_segment(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        # The playlist calls the fourth second the first.
        playing.switch_video(0)
        playing.output.feed(TrackKind.VIDEO, segment_at(0, ladder.segments[0][3], None))
        playing.switch_audio()
        playing.output.feed(TrackKind.AUDIO, segment_at(0, ladder.audio_segments[3], None))
        await playing.settle()

        playing.output.start(0, 1.0)
        await playing.run(500_000)

        assert [frame.time_us for frame in playing.seen[:2]] == [0, 33_333]
        assert playing.codes()[:2] == [90, 91]
        # The packet in which the beep begins, up to 21 ms of it, belongs to the segment before.
        assert playing.beep_times_s() == pytest.approx(playing.flash_times_s(), abs=0.022)


async def test_encoder_delay_is_not_taken_for_an_offset(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        playing.feed_audio(range(1), offset_us=None)
        playing.feed_video(range(1), offset_us=None)
        await playing.run(20_000)

        assert [frame.time_us for frame in playing.seen] == [0]


async def test_damage_is_told_and_playing_goes_on(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        broken = bytearray(ladder.segments[1][1])
        broken[len(broken) // 2 :] = bytes(len(broken) - len(broken) // 2)
        playing.output.prepare(0, BOTH)
        playing.feed_video(range(1))
        playing.output.feed(TrackKind.VIDEO, segment_at(1, bytes(broken)))
        playing.output.feed(TrackKind.VIDEO, segment_at(2, ladder.segments[1][2]))
        playing.feed_audio(range(3))
        playing.end()
        await playing.settle()

        playing.output.start(0, 1.0)
        await playing.run(3_100_000)

        failed = [entry for entry in playing.listener.told if entry[0] == "failed"]
        assert failed
        assert all(entry[1] is TrackKind.VIDEO and entry[3] is False for entry in failed)
        assert "video segment at 1.000 s" in str(failed[0][2])
        codes = playing.codes()
        assert codes[:30] == list(range(30))
        assert codes[-30:] == list(range(60, 90))
        assert playing.output.stats().frames_corrupt > 0


async def test_an_audio_segment_that_cannot_be_read_leaves_a_silence_not_a_shift(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        playing.feed_video(range(4))
        playing.feed_audio(range(1))
        playing.output.feed(TrackKind.AUDIO, segment_at(1, ladder.audio_segments[1][:100]))
        playing.feed_audio(range(2, 4))
        await playing.settle()

        playing.output.start(0, 1.0)
        await playing.run(3_500_000)

        flashes = playing.flash_times_s()
        assert playing.beep_times_s()[-2:] == pytest.approx(flashes[2:], abs=0.010)


async def test_three_undecodable_segments_in_a_row_are_fatal(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        playing.switch_video(0)
        for index in range(3):
            playing.output.feed(TrackKind.VIDEO, segment_at(index, b"<html>not media</html>"))
        await playing.settle()

        fatal = [entry for entry in playing.listener.told if entry[0] == "failed" and entry[3]]
        assert [entry[2] for entry in fatal] == ["3 video segments in a row could not be decoded"]


@pytest.mark.parametrize("page", [b"<html>Please sign in</html>", b""])
async def test_after_an_unreadable_initialisation_segment_the_next_format_plays(
    ladder: FilmLadder, page: bytes
) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        playing.output.switch_format(TrackKind.AUDIO, MediaFormat(0, Container.MP4, page))
        await playing.settle()

        ((_, track, message, fatal, code),) = playing.listener.told
        assert (track, fatal, code) == (TrackKind.AUDIO, False, DecodeFault.INIT)
        assert str(message).startswith("the initialisation segment of the audio track cannot be read: ")

        playing.output.feed(TrackKind.AUDIO, segment_at(0, b"left out"))
        playing.feed_audio(range(1))
        playing.feed_video(range(1))
        await playing.settle()

        assert playing.listener.told[1:] == [("ready",)]


async def test_a_codec_without_a_decoder_is_told_as_such(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)

        init = ladder.inits[0].replace(b"avc1", b"zzzz")
        playing.output.switch_format(TrackKind.VIDEO, MediaFormat(0, Container.MP4, init))
        await playing.settle()

        assert [entry[3:] for entry in playing.listener.told] == [(False, DecodeFault.CODEC)]


async def test_a_late_renderer_drops_frames_and_the_driver_hears_of_it(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        renderer, audio = FakeRenderer(), NullAudioOutput(playing.clock)
        output, listener = DecodedOutput(renderer, audio, playing.clock), RecordingListener()
        playing.output, playing.audio = output, audio
        output.attach(listener)
        output.prepare(0, BOTH)
        playing.feed_video(range(1))
        playing.feed_audio(range(1))
        await playing.settle()
        output.start(0, 1.0)

        await playing.run(320_000)
        shown = renderer.paint()
        await playing.run(120_000)

        assert shown is not None
        assert shown.time_us == 300_000
        assert (output.stats().frames_shown, output.stats().frames_dropped) == (1, 9)
        assert ("dropped", 9) in listener.told
        await output.close()


async def test_plays_in_real_time_with_headless_parts(ladder: FilmLadder) -> None:
    clock, shown = MonotonicClock(), list[int]()
    output = DecodedOutput(
        HeadlessRenderer(clock, lambda frame: shown.append(frame.time_us)), NullAudioOutput(clock), clock
    )
    listener = RecordingListener()
    output.attach(listener)
    output.prepare(0, BOTH)
    output.switch_format(TrackKind.VIDEO, MediaFormat(0, Container.MP4, ladder.inits[0]))
    output.feed(TrackKind.VIDEO, segment_at(0, ladder.segments[0][0]))
    output.switch_format(TrackKind.AUDIO, MediaFormat(0, Container.MP4, ladder.audio_init))
    output.feed(TrackKind.AUDIO, segment_at(0, ladder.audio_segments[0]))
    async with asyncio.timeout(5):
        while not listener.told:  # noqa: ASYNC110 (real time is what this test is about)
            await asyncio.sleep(0.01)

    output.start(0, 1.0)
    await asyncio.sleep(0.8)

    assert 10 <= len(shown) <= 30
    assert output.stats().frames_shown + output.stats().frames_dropped >= 20
    assert shown == sorted(set(shown))
    await output.close()


async def test_a_storm_of_seeks_ends_at_the_right_frame(ladder: FilmLadder) -> None:
    rng = np.random.default_rng(5)
    async with Playing(ladder) as playing:
        for _ in range(40):
            frame = int(rng.integers(0, 179))
            index = frame // 30
            playing.output.prepare(round(frame * 1e6 / 30), BOTH)
            playing.feed_video(range(index, 6), rungs=(int(rng.integers(0, 3)),))
            playing.feed_audio(range(index, 6))
            playing.end()
            if rng.random() < 0.5:
                playing.output.start(round(frame * 1e6 / 30), 1.0)
            await asyncio.sleep(float(rng.choice([0.0, 0.002, 0.01])))
        playing.output.prepare(2_500_000, BOTH)
        playing.seen.clear()
        playing.feed_video(range(2, 6))
        playing.feed_audio(range(2, 6))
        playing.end()
        await playing.run(20_000)
        playing.output.start(2_500_000, 1.0)

        await playing.run(500_000)

        assert playing.codes()[:14] == list(range(75, 89))
        assert [entry for entry in playing.listener.told if entry[0] == "failed"] == []
        assert playing.output.stats().frames_corrupt == 0


async def test_what_is_cut_is_replaced_at_the_very_frame(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, BOTH)
        playing.feed_video(range(4), rungs=(0,))
        playing.feed_audio(range(4))
        playing.end()
        await playing.settle()
        playing.output.start(0, 1.0)
        await playing.run(1_200_000)

        playing.output.cut(TrackKind.VIDEO, 2_000_000)
        playing.feed_video(range(2, 4), rungs=(2,))
        playing.output.end_track(TrackKind.VIDEO)
        await playing.run(2_900_000)

        assert playing.codes() == list(range(120))
        assert [frame.rung for frame in playing.seen] == [0] * 60 + [2] * 60
        assert playing.listener.count("failed") == 0


async def test_a_cut_inside_a_segment_that_is_being_decoded_ends_it_there(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        playing.output.prepare(0, frozenset({TrackKind.VIDEO}))
        playing.feed_video(range(2), rungs=(0,))
        await playing.settle()

        # 12 pictures are decoded; the rest of the segment waits for room.
        playing.output.cut(TrackKind.VIDEO, 500_000)
        playing.feed_video(range(1), rungs=(2,))
        playing.output.end_track(TrackKind.VIDEO)
        playing.output.start(0, 1.0)
        await playing.run(1_100_000)

        assert playing.codes() == list(range(30))
        assert [frame.rung for frame in playing.seen] == [0] * 15 + [2] * 15


async def test_a_key_that_is_missing_is_told_as_such_and_with_it_playback_goes_on(ladder: FilmLadder) -> None:
    recipe = Recipe("cenc")
    init = encrypt_init(ladder.inits[0], recipe)
    segment, _ = encrypt_segment(ladder.segments[0][0], recipe)
    async with Playing(ladder) as playing:
        playing.output.prepare(0, frozenset({TrackKind.VIDEO}))
        playing.output.switch_format(TrackKind.VIDEO, MediaFormat(0, Container.MP4, init))
        playing.output.feed(TrackKind.VIDEO, segment_at(0, segment))
        await playing.settle()

        ((_, _, message, fatal, code),) = playing.listener.told
        assert (fatal, code) == (False, DecodeFault.KEY)
        assert str(message) == f"video segment at 0.000 s: no key for key id {KEY_ID.hex()}"

        keys = KeyRing({KEY_ID: KEY})
        playing.output.switch_format(TrackKind.VIDEO, MediaFormat(0, Container.MP4, init, keys=keys))
        playing.output.feed(TrackKind.VIDEO, segment_at(0, segment))
        await playing.settle()

        assert playing.listener.told[1:] == [("ready",)]


async def test_an_error_of_the_listener_is_logged(ladder: FilmLadder, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(RecordingListener):
        def on_position(self, position_us: int) -> None:
            raise ZeroDivisionError(position_us)

    async with Playing(ladder) as playing:
        playing.output.attach(Failing())
        playing.output.prepare(0, BOTH)
        playing.feed_video(range(1))
        playing.feed_audio(range(1))
        await playing.settle()
        playing.output.start(0, 1.0)
        await playing.run(300_000)

    assert "tells nothing any more" in caplog.text
    assert "ZeroDivisionError" in caplog.text
