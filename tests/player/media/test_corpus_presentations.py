"""Whole presentations of other packagers through the engine and the decoders: all media that is there, frame by frame.

Most of them lack media behind the first segments. What is there plays, and then the error names what is not.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from cushion_player.engine import Limits
from cushion_player.errors import UnsupportedManifestFeature
from cushion_player.model import Container
from cushion_player.notices import PlaybackEnded, PlaybackFailed
from cushion_player.player import Player
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.transport import FakeTransport
from cushion_player.timeline import TrackKind
from tests.player.media.counting_output import CountingOutput, Stretch

V, A = TrackKind.VIDEO, TrackKind.AUDIO
CONTAINERS = {"mp4": Container.MP4, "webm": Container.WEBM}
ROOT = "corpus/media/rx-player"
HOST = "http://host/"
SECOND = 1_000_000
BEGINNING = "DASH_static_SegmentTimeline/media/"
PERIODS = "DASH_static_SegmentTemplate_Multi_Periods/media/"
FILES = "DASH_static_SegmentBase/media/"
LIVE = "DASH_dynamic_SegmentTimeline/media/Manifest.mpd"


@dataclass(frozen=True)
class Played:
    """What became of a presentation. missing: the files that were asked for in vain."""

    outcome: PlaybackEnded | PlaybackFailed
    output: CountingOutput
    missing: set[str]

    def of(self, track: TrackKind) -> list[Stretch]:
        return [stretch for stretch in self.output.stretches if stretch.track is track and stretch.segments]

    def frames(self, track: TrackKind) -> int:
        return sum(stretch.frames for stretch in self.of(track))


def read_folder(root: Path, manifest: str) -> dict[str, bytes]:
    """The manifest's folder as an origin serves it."""
    folder = (root / manifest).parent
    return {HOST + path.relative_to(root).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def play(
    root: Path,
    manifest: str,
    rung: int | None = None,
    *,
    utc_s: int = 0,
    live_start_s: float = 0.0,
    edit: Callable[[str], str] = str,
) -> Played:
    """Play to the end, or till it fails. rung: stay on it. edit: what to make of the manifest's text."""
    files = read_folder(root, manifest)
    files[HOST + manifest] = edit(files[HOST + manifest].decode()).encode()
    clock = FakeClock()
    transport = FakeTransport(clock, files, latency_us=10_000, utc_offset_us=utc_s * SECOND)
    output = CountingOutput(clock)

    async def run() -> PlaybackEnded | PlaybackFailed:
        async with Player(transport=transport, clock=clock, output=output) as player:
            if rung is not None:
                player.set_limits(Limits(pinned_rung=rung))
            await player.load(HOST + manifest, live_start_us=round(live_start_s * SECOND))
            player.play()
            outcome = await player.wait_finished()
            output.finish()
            return outcome

    outcome = clock.run(run())
    return Played(outcome, output, {request.url for request in transport.requests} - files.keys())


def frames_by_ffprobe(stretch: Stretch) -> int:
    data = bytes(stretch.format.init) + b"".join(stretch.segments)
    command = ["ffprobe", "-v", "error", "-count_frames", "-select_streams", f"{stretch.track[0]}:0"]
    command += ["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", "-"]
    return int(subprocess.run(command, input=data, capture_output=True, check=True).stdout.split()[0])


def assert_as_many_frames_as_ffmpeg(played: Played) -> None:
    if shutil.which("ffprobe") is None:
        pytest.skip("needs the command ffprobe")
    assert played.output.damage == []
    for stretch in played.output.stretches:
        if stretch.segments:
            assert stretch.frames == frames_by_ffprobe(stretch), f"{stretch.track} at rung {stretch.format.rung}"


def assert_named_what_is_missing(played: Played) -> None:
    assert isinstance(played.outcome, PlaybackFailed)
    assert played.outcome.code == "http_status"
    assert "HTTP 404" in played.outcome.message
    assert any(url in played.outcome.message for url in played.missing)
    assert played.outcome.attempts
    assert {attempt.code for attempt in played.outcome.attempts} == {"http_status"}


@pytest.mark.parametrize(("suffix", "rung"), [*(("mp4", n) for n in range(2)), *(("webm", n) for n in range(4))])
def test_single_files_by_their_indexes_play_to_the_end_at_every_rung(
    shared_path: Callable[[str], Path], suffix: str, rung: int
) -> None:
    """H.264 with AAC in MP4, VP9 with Opus in WebM; of either the other's sets are taken out of the manifest."""
    other = {"mp4": ".webm", "webm": ".mp4"}[suffix]
    manifest = FILES + "multi_codecs.mpd"

    def keep(adaptation_set: re.Match[str]) -> str:
        return "" if other in adaptation_set[0] else adaptation_set[0]

    def only(text: str) -> str:
        return re.sub(r"<AdaptationSet.*?</AdaptationSet>", keep, text, flags=re.DOTALL)

    played = play(shared_path(ROOT), manifest, rung, edit=only)

    assert isinstance(played.outcome, PlaybackEnded)
    assert {stretch.format.rung for stretch in played.of(V)} == {rung}
    assert {stretch.format.container for stretch in played.output.stretches} == {CONTAINERS[suffix]}
    assert played.frames(V) == 1500
    assert_as_many_frames_as_ffmpeg(played)


def test_an_index_that_cuts_a_frame_in_two_costs_that_frame_and_says_so(shared_path: Callable[[str], Path]) -> None:
    played = play(shared_path(ROOT), FILES + "broken_sidx.mpd")

    assert isinstance(played.outcome, PlaybackEnded)
    assert (played.frames(V), played.frames(A)) == (1499, 2814)
    (damage,) = played.output.damage
    assert "1 of 100 frames are missing" in damage


STATIC: Mapping[str, tuple[float, int, int]] = {
    PERIODS + "mp4-live-periods-mpd.mpd": (9.977982, 250, 429),
    PERIODS + "discontinuities_between_periods.mpd": (9.977982, 250, 429),
    **{
        f"{BEGINNING}{name}.mpd": (4.004, 96, 1373)
        for name in (
            "ateam", "ateam-trickmode", "discontinuity", "event-streams", "forced-subtitles", "multi-AdaptationSets",
            "multi_period_different_choices", "multi_period_same_choices", "segment_template_inheritance_as_rep",
            "segment_template_inheritance_period_as", "segment_timeline_end_number",
        )
    },
}  # fmt: skip
"""Where the picture or the sound ends for want of media, and the frames of each up to there or already buffered."""


@pytest.mark.parametrize("manifest", sorted(STATIC))
def test_the_media_that_is_there_plays_and_then_the_error_names_what_is_not(
    shared_path: Callable[[str], Path], manifest: str
) -> None:
    position_s, n_video, n_audio = STATIC[manifest]

    played = play(shared_path(ROOT), manifest)

    assert_named_what_is_missing(played)
    assert played.outcome.position_us == pytest.approx(position_s * SECOND, abs=1)
    assert (played.frames(V), played.frames(A)) == (n_video, n_audio)
    assert_as_many_frames_as_ffmpeg(played)


@pytest.mark.parametrize(
    ("manifest", "rung"),
    [
        *((BEGINNING + "ateam.mpd", rung) for rung in (0, 1, 3)),
        *((PERIODS + "mp4-live-periods-mpd.mpd", rung) for rung in range(4)),
    ],
)
def test_every_rung_that_is_there_plays(shared_path: Callable[[str], Path], manifest: str, rung: int) -> None:
    _, n_video, _ = STATIC[manifest]

    played = play(shared_path(ROOT), manifest, rung)

    assert_named_what_is_missing(played)
    assert [stretch.format.rung for stretch in played.of(V)] == [rung]
    assert played.frames(V) == n_video
    assert_as_many_frames_as_ffmpeg(played)


def test_a_rung_whose_media_are_not_those_of_its_initialisation_segment_shows_nothing(
    shared_path: Callable[[str], Path],
) -> None:
    """FFmpeg makes 29 frames of it, every one damaged."""
    played = play(shared_path(ROOT), BEGINNING + "ateam.mpd", 2)

    assert_named_what_is_missing(played)
    assert played.frames(V) == 0
    assert played.output.corrupt > 90


@pytest.mark.parametrize("name", ["different_types_discontinuity.mpd", "end_number.mpd"])
def test_a_first_period_without_sound_plays_its_pictures(shared_path: Callable[[str], Path], name: str) -> None:
    played = play(shared_path(ROOT), PERIODS + name)

    assert_named_what_is_missing(played)
    assert (played.frames(V), played.frames(A)) == (250, 0)
    assert_as_many_frames_as_ffmpeg(played)


@pytest.mark.parametrize(
    "manifest",
    [
        "DASH_static_number_based_SegmentTimeline/media/manifest.mpd",
        "DASH_static_number_based_SegmentTimeline/media/end_number.mpd",
        BEGINNING + "not_starting_at_0.mpd",
        "DASH_dynamic_UTCTimings/media/Manifest_with_direct.mpd",
        "DASH_dynamic_UTCTimings/media/Manifest_with_direct_and_http.mpd",
        "DASH_dynamic_UTCTimings/media/Manifest_with_http.mpd",
        "DASH_dynamic_UTCTimings/media/Manifest_without_timings.mpd",
    ],
)
def test_where_nothing_is_there_to_begin_with_the_error_names_it(
    shared_path: Callable[[str], Path], manifest: str
) -> None:
    played = play(shared_path(ROOT), manifest, utc_s=1_553_518_154, live_start_s=6_542.0)

    assert_named_what_is_missing(played)
    assert played.frames(V) == 0
    assert_as_many_frames_as_ffmpeg(played)


def test_the_part_of_a_live_window_that_is_there_plays_until_nothing_new_comes(
    shared_path: Callable[[str], Path],
) -> None:
    """Its times count from 1970 although it says to be available from 2012: the day is one in 2060."""
    since_2012_s, first_s = 1_325_376_000, 1_527_508_021
    root = shared_path(ROOT)

    played = play(root, LIVE, utc_s=since_2012_s + first_s + 39, live_start_s=first_s)

    assert isinstance(played.outcome, PlaybackFailed)
    assert played.outcome.code == "stale"
    fed = [segment for stretch in played.of(V) for segment in stretch.segments]
    assert fed == [path.read_bytes() for path in sorted((root / LIVE).parent.glob("V300/t*.m4s"))]
    assert played.frames(V) == len(fed) * 180
    assert_as_many_frames_as_ffmpeg(played)


def test_a_live_timeline_of_decades_is_refused(shared_path: Callable[[str], Path]) -> None:
    with pytest.raises(UnsupportedManifestFeature, match="more than 500000 segments"):
        play(shared_path(ROOT), LIVE.replace(".mpd", "_no-timeShiftBufferDepth.mpd"))
