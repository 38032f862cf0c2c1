"""Sound settings, frame steps and catching up, as they reach the outputs."""

from __future__ import annotations

import numpy as np
import pytest

from cushion_player.outputs import SoundSettings
from tests.player.media.film_ladder import FilmLadder
from tests.player.media.playing import BOTH, Playing

SHOW_US = 40_000


async def begin(playing: Playing, n_segments: int, settings: SoundSettings | None = None) -> None:
    if settings is not None:
        playing.output.set_sound(settings)
    playing.output.prepare(0, BOTH)
    playing.feed_video(range(n_segments))
    playing.feed_audio(range(n_segments))
    await playing.settle()


@pytest.mark.parametrize("delay_us", [200_000, -150_000])
async def test_sound_comes_later_or_earlier_than_its_picture(ladder: FilmLadder, delay_us: int) -> None:
    async with Playing(ladder) as playing:
        await begin(playing, 4, SoundSettings(delay_us=delay_us))

        playing.output.start(0, 1.0)
        await playing.run(3_500_000)

        flashes, beeps = playing.flash_times_s(), playing.beep_times_s()
        pairs = zip(flashes[-3:], beeps[-3:], strict=True)
        assert [beep - flash for flash, beep in pairs] == pytest.approx([delay_us / 1e6] * 3, abs=0.010)


async def test_a_delay_can_be_changed_while_playing(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        await begin(playing, 5)
        playing.output.start(0, 1.0)
        await playing.run(500_000)

        playing.output.set_sound(SoundSettings(delay_us=300_000))
        await playing.run(3_900_000)

        assert playing.beep_times_s()[-1] - playing.flash_times_s()[-1] == pytest.approx(0.3, abs=0.010)


async def test_mute_keeps_the_volume(ladder: FilmLadder, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Playing(ladder) as playing:
        volumes: list[float] = []
        monkeypatch.setattr(playing.audio, "set_volume", volumes.append)

        playing.output.set_volume(0.7)
        playing.output.set_sound(SoundSettings(muted=True))
        playing.output.set_volume(0.4)
        playing.output.set_sound(SoundSettings())

        assert volumes == [0.7, 0.0, 0.0, 0.4]


async def test_quiet_sound_is_levelled_up(ladder: FilmLadder) -> None:
    async def loudness(settings: SoundSettings) -> float:
        async with Playing(ladder) as playing:
            await begin(playing, 6, settings)
            playing.output.start(0, 1.0)
            await playing.run(5_500_000)
            return float(np.abs(np.concatenate([pcm for _, pcm in playing.heard])[-48_000:]).max())

    assert await loudness(SoundSettings(target_lufs=-40.0)) < 0.8 * await loudness(SoundSettings())


@pytest.mark.parametrize(("delay_us", "target_lufs"), [(6_000_000, None), (0, 0.0), (0, -60.0)])
def test_settings_outside_of_reason_are_refused(delay_us: int, target_lufs: float | None) -> None:
    with pytest.raises(ValueError, match=r"at most 5 s|between -40 and -5"):
        SoundSettings(delay_us=delay_us, target_lufs=target_lufs)


async def test_a_step_shows_the_next_frame_and_one_of_three_the_third(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        await begin(playing, 2)
        await playing.run(SHOW_US)
        assert playing.codes() == [0]

        times = []
        for frames in (1, 1, 3):
            times.append(playing.output.step(frames))
            await playing.run(SHOW_US)

        assert playing.codes() == [0, 1, 2, 5]
        assert times == [frame.time_us for frame in playing.seen[1:]]
        assert playing.output.stats().frames_dropped == 0


async def test_there_is_no_step_while_the_clock_runs_nor_beyond_what_is_decoded(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        await begin(playing, 1)
        await playing.run(SHOW_US)

        assert playing.output.step(1_000) is None
        playing.output.start(0, 1.0)
        assert playing.output.step(1) is None


async def test_nothing_is_skipped_when_the_decoder_keeps_up(ladder: FilmLadder) -> None:
    async with Playing(ladder) as playing:
        await begin(playing, 4)
        playing.output.start(0, 1.0)
        await playing.run(3_500_000)

        assert playing.output.stats().frames_skipped == 0
