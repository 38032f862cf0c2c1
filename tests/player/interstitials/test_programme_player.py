"""Breaks through the whole player in virtual time: when they play, what may be skipped, where playback goes on."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import pytest

from cushion_player.errors import UsageError
from cushion_player.interstitials.programme_player import ProgrammePlayer
from cushion_player.media.null_output import NullDecodeOutput
from cushion_player.notices import (
    InterstitialAssetFailed,
    InterstitialAssetStarted,
    InterstitialEnded,
    InterstitialStarted,
    Notice,
    PlaybackEnded,
    PlaybackStarted,
    RebufferStarted,
)
from cushion_player.outputs import MediaOutput, MediaSegment
from cushion_player.player import Player
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.transport import FakeTransport
from cushion_player.text import Cue, Span
from cushion_player.timeline import TrackKind
from tests.player.test_player import BASE, content

SECOND = 1_000_000
EPOCH = "2026-11-25T10:00:00Z"


def playlist(name: str, n_segments: int, *lines: str) -> dict[str, bytes]:
    """A playlist of 2 s segments from EPOCH on; the bytes of a segment say whose it is."""
    text = [
        "#EXTM3U",
        "#EXT-X-TARGETDURATION:2",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        f"#EXT-X-PROGRAM-DATE-TIME:{EPOCH}",
        *lines,
    ]
    files: dict[str, bytes] = {}
    for at in range(n_segments):
        text += ["#EXTINF:2,", f"{name}/{at}.ts"]
        files[f"{BASE}{name}/{at}.ts"] = (b"\x47" + name[0].encode() * 187) * 10
    files[f"{BASE}{name}.m3u8"] = "\n".join([*text, "#EXT-X-ENDLIST", ""]).encode()
    return files


def date_range(second: float, *attributes: str, identity: str = "b1") -> str:
    said = ",".join(attributes)
    start = f"2026-11-25T10:{int(second) // 60:02}:{second % 60:06.3f}Z"
    return f'#EXT-X-DATERANGE:ID="{identity}",CLASS="com.apple.hls.interstitial",START-DATE="{start}",{said}'


class Recording(NullDecodeOutput):
    """Keeps whose media it was fed, in order, and when the clock of each ran."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.heard: list[str] = []
        self.beside: list[tuple[str, ...]] = []
        self.captions: list[str | None] = []

    def set_subtitles(self, cues: tuple[Cue, ...]) -> None:
        self.beside.append(tuple(cue.text for cue in cues))

    def select_captions(self, service: str | None) -> None:
        self.captions.append(service)

    def feed(self, track: TrackKind, segment: MediaSegment) -> None:
        if track is TrackKind.VIDEO and (not self.heard or self.heard[-1] != segment.data[1:2].decode()):
            self.heard.append(segment.data[1:2].decode())
        super().feed(track, segment)


class Show:
    """A programme player over files."""

    def __init__(self, files: dict[str, bytes], manifest: str = "main.m3u8") -> None:
        self.clock = FakeClock()
        self.origin = FakeTransport(self.clock, files, latency_us=20_000)
        self.output = Recording(self.clock)
        self.notices: list[Notice] = []
        self.player = ProgrammePlayer(
            make_main=self._make, make_asset=self._make, output=self.output, transport=self.origin, clock=self.clock
        )
        self.player.subscribe(self.notices.append)
        self._manifest = manifest

    def _make(self, output: MediaOutput) -> Player:
        return Player(transport=self.origin, clock=self.clock, output=output)

    def run(self, act: Callable[[Show], Awaitable[None]] | None = None, start_us: int = 0) -> int:
        """Play to the end; returns when that was."""

        async def play() -> int:
            async with self.player as player:
                await player.load(BASE + self._manifest, start_us)
                player.play()
                if act is not None:
                    await act(self)
                assert isinstance(await player.wait_finished(), PlaybackEnded)
                return self.clock.now_us()

        return self.clock.run(play())

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep_until(self.clock.now_us() + round(seconds * SECOND))

    def told(self) -> list[Notice]:
        kinds = InterstitialStarted | InterstitialAssetStarted | InterstitialAssetFailed | InterstitialEnded
        return [notice for notice in self.notices if isinstance(notice, kinds)]

    def ended(self) -> InterstitialEnded:
        (ended,) = [notice for notice in self.notices if isinstance(notice, InterstitialEnded)]
        return ended


AD = playlist("ad", 2)
SPOT = playlist("spot", 3)


def test_a_break_plays_when_playback_comes_to_it_and_the_main_presentation_goes_on_where_it_was_left() -> None:
    show = Show(playlist("main", 10, date_range(6, 'X-ASSET-URI="ad.m3u8"', "X-RESUME-OFFSET=0")) | AD)

    end_us = show.run()

    assert show.told() == [
        InterstitialStarted("b1", 6 * SECOND, 1, True, "playback came to it"),
        InterstitialAssetStarted("b1", 0),
        InterstitialEnded("b1", 6 * SECOND, 4 * SECOND, "played"),
    ]
    assert show.output.heard == ["m", "a", "m"]
    assert end_us == pytest.approx(24 * SECOND, abs=SECOND // 4)
    assert not any(isinstance(notice, RebufferStarted) for notice in show.notices)
    assert len([notice for notice in show.notices if isinstance(notice, PlaybackStarted)]) == 1


@pytest.mark.parametrize(("attributes", "resume_s"), [((), 10), (("X-RESUME-OFFSET=5",), 11)])
def test_a_break_replaces_as_much_as_it_plays_or_as_it_says(attributes: tuple[str, ...], resume_s: int) -> None:
    show = Show(playlist("main", 10, date_range(6, 'X-ASSET-URI="ad.m3u8"', *attributes)) | AD)

    end_us = show.run()

    assert show.ended().resume_us == resume_s * SECOND
    assert end_us == pytest.approx((6 + 4 + 20 - resume_s) * SECOND, abs=SECOND // 4)


def test_the_first_asset_is_loaded_before_the_break_begins() -> None:
    show = Show(playlist("main", 15, date_range(20, 'X-ASSET-URI="ad.m3u8"')) | AD)

    show.run()

    (asked,) = [request for request in show.origin.requests if request.url.endswith("ad.m3u8")]
    assert asked.time_us == pytest.approx(10 * SECOND, abs=SECOND // 4)


def test_a_list_of_assets_is_read_and_played_in_order() -> None:
    listed = json.dumps({"ASSETS": [{"URI": "ad.m3u8", "DURATION": 4}, {"URI": "spot.m3u8", "DURATION": 6}]}).encode()
    files = playlist("main", 10, date_range(6, 'X-ASSET-LIST="list.json"', "X-RESUME-OFFSET=0"))
    show = Show(files | AD | SPOT | {f"{BASE}list.json": listed})

    show.run()

    assert show.output.heard == ["m", "a", "s", "m"]
    assert show.ended().played_us == 10 * SECOND


def test_a_preroll_comes_before_anything_and_playback_starts_where_it_was_asked_to() -> None:
    show = Show(playlist("main", 10, date_range(0, 'X-ASSET-URI="ad.m3u8"', 'CUE="PRE"')) | AD)

    show.run(start_us=8 * SECOND)

    assert show.output.heard == ["a", "m"]
    assert show.ended().resume_us == 8 * SECOND


def test_subtitles_of_a_file_are_the_main_presentations_and_captions_are_everybodys() -> None:
    show = Show(playlist("main", 10, date_range(6, 'X-ASSET-URI="ad.m3u8"')) | AD)
    show.player.set_subtitles((Cue(0, 20 * SECOND, (Span("line"),)),))
    show.player.select_captions("CC1")

    show.run()

    assert show.output.heard == ["m", "a", "m"]
    assert show.output.beside == [("line",), (), ("line",)]
    assert show.output.captions == ["CC1"]


def test_a_postroll_comes_after_everything() -> None:
    show = Show(playlist("main", 5, date_range(0, 'X-ASSET-URI="ad.m3u8"', 'CUE="POST"')) | AD)

    end_us = show.run()

    assert show.output.heard == ["m", "a"]
    assert end_us == pytest.approx(14 * SECOND, abs=SECOND // 4)
    assert isinstance(show.notices[-1], PlaybackEnded)


async def skip_the_postroll(show: Show) -> None:
    await show.sleep(11)
    show.player.skip_interstitial()


def test_a_postroll_that_is_skipped_ends_playback() -> None:
    show = Show(playlist("main", 5, date_range(0, 'X-ASSET-URI="ad.m3u8"', 'CUE="POST"')) | AD)

    end_us = show.run(skip_the_postroll)

    assert show.output.heard == ["m", "a"]
    assert show.ended().reason == "skipped"
    assert end_us == pytest.approx(11 * SECOND, abs=SECOND // 4)


async def jump_when_it_is_near(show: Show) -> None:
    await show.sleep(12)
    assert [identity for identity, _ in show.player._ahead] == ["b1"]
    show.player.seek(26 * SECOND)
    assert not show.player._ahead


def test_what_was_loaded_of_a_break_that_is_jumped_over_is_given_up() -> None:
    show = Show(playlist("main", 15, date_range(20, 'X-ASSET-URI="ad.m3u8"')) | AD)

    show.run(jump_when_it_is_near)

    assert show.told() == []
    assert show.output.heard == ["m"]


def test_the_playout_limit_ends_a_break() -> None:
    files = playlist("main", 10, date_range(6, 'X-ASSET-URI="spot.m3u8"', "X-PLAYOUT-LIMIT=2.5", "X-RESUME-OFFSET=0"))
    show = Show(files | SPOT)

    show.run()

    assert show.ended().played_us == pytest.approx(2.5 * SECOND, abs=SECOND // 20)


def test_an_asset_that_fails_is_left_out_and_an_empty_break_is_none() -> None:
    listed = json.dumps({"ASSETS": [{"URI": "gone.m3u8"}, {"URI": "ad.m3u8"}]}).encode()
    broken = date_range(2, 'X-ASSET-LIST="none.json"', "X-RESUME-OFFSET=0", identity="b0")
    files = playlist("main", 10, broken, date_range(6, 'X-ASSET-LIST="list.json"', "X-RESUME-OFFSET=0"))
    show = Show(files | AD | {f"{BASE}list.json": listed})

    show.run()

    first, second = [notice for notice in show.told() if isinstance(notice, InterstitialEnded)]
    (failed,) = [notice for notice in show.told() if isinstance(notice, InterstitialAssetFailed)]
    assert (first.id, first.resume_us, first.played_us) == ("b0", 2 * SECOND, 0)
    assert "404" in first.reason
    assert (failed.id, failed.number, failed.code) == ("b1", 0, "http_status")
    assert (second.played_us, second.reason) == (4 * SECOND, "played")


async def jump(show: Show) -> None:
    await show.sleep(2)
    show.player.seek(14 * SECOND)


def test_a_break_that_must_not_be_jumped_over_plays_first() -> None:
    files = playlist("main", 10, date_range(6, 'X-ASSET-URI="ad.m3u8"', "X-RESUME-OFFSET=0", 'X-RESTRICT="JUMP"'))
    show = Show(files | AD)

    show.run(jump)

    started = show.told()[0]
    assert isinstance(started, InterstitialStarted)
    assert started.reason == "it must not be jumped over"
    assert show.ended().resume_us == 14 * SECOND


async def scrub_over(show: Show) -> None:
    await show.sleep(2)
    show.player.set_scrubbing(True)
    for position_us in (9 * SECOND, 14 * SECOND):
        show.player.seek(position_us)
        await show.sleep(0.5)
    assert show.player.snapshot().interstitial is None, "none while the viewer looks around"
    show.player.set_scrubbing(False)


def test_a_break_that_must_not_be_jumped_over_plays_once_scrubbing_over_it_ends() -> None:
    files = playlist("main", 10, date_range(6, 'X-ASSET-URI="ad.m3u8"', "X-RESUME-OFFSET=0", 'X-RESTRICT="JUMP"'))
    show = Show(files | AD)

    show.run(scrub_over)

    assert len([notice for notice in show.told() if isinstance(notice, InterstitialStarted)]) == 1
    assert show.ended().resume_us == 14 * SECOND


def test_a_break_that_may_be_jumped_over_is() -> None:
    show = Show(playlist("main", 10, date_range(6, 'X-ASSET-URI="ad.m3u8"', "X-RESUME-OFFSET=0")) | AD)

    show.run(jump)

    assert show.told() == []


async def skip(show: Show) -> None:
    await show.sleep(7)
    inside = show.player.snapshot().interstitial
    assert inside is not None
    assert (inside.id, inside.number, inside.n_assets, inside.duration_us) == ("b1", 0, 1, 4 * SECOND)
    show.player.skip_interstitial()


def test_a_viewer_may_skip_a_break() -> None:
    show = Show(playlist("main", 10, date_range(6, 'X-ASSET-URI="ad.m3u8"', "X-RESUME-OFFSET=0")) | AD)

    show.run(skip)

    assert (show.ended().reason, show.ended().resume_us) == ("skipped", 6 * SECOND)


async def try_to_skip(show: Show) -> None:
    await show.sleep(7)
    with pytest.raises(UsageError, match="must not be skipped"):
        show.player.skip_interstitial()
    with pytest.raises(UsageError, match="must not be skipped"):
        show.player.seek(12 * SECOND)


def test_a_break_that_must_not_be_skipped_is_not() -> None:
    files = playlist("main", 10, date_range(6, 'X-ASSET-URI="ad.m3u8"', "X-RESUME-OFFSET=0", 'X-RESTRICT="SKIP,JUMP"'))
    show = Show(files | AD)

    show.run(try_to_skip)

    assert show.ended().played_us == 4 * SECOND


async def pause_inside(show: Show) -> None:
    await show.sleep(7)
    show.player.pause()
    await show.sleep(30)
    show.player.play()


def test_a_break_can_be_paused() -> None:
    show = Show(playlist("main", 10, date_range(6, 'X-ASSET-URI="ad.m3u8"', "X-RESUME-OFFSET=0")) | AD)

    end_us = show.run(pause_inside)

    assert end_us == pytest.approx(54 * SECOND, abs=SECOND // 4)


async def look_back(show: Show) -> None:
    await show.sleep(12)
    show.player.seek(4 * SECOND)


@pytest.mark.parametrize(("cue", "times"), [("", 2), (',CUE="ONCE"', 1)])
def test_a_break_plays_again_unless_it_plays_once(cue: str, times: int) -> None:
    show = Show(playlist("main", 10, date_range(6, 'X-ASSET-URI="ad.m3u8"', f"X-RESUME-OFFSET=0{cue}")) | AD)

    show.run(look_back)

    assert len([notice for notice in show.told() if isinstance(notice, InterstitialEnded)]) == times


def test_a_break_snaps_to_the_boundaries_of_segments_when_it_says_so() -> None:
    files = playlist("main", 10, date_range(6.7, 'X-ASSET-URI="ad.m3u8"', "X-RESUME-OFFSET=4.4", 'X-SNAP="OUT,IN"'))
    show = Show(files | AD)

    show.run()

    started = show.told()[0]
    assert isinstance(started, InterstitialStarted)
    assert (started.position_us, show.ended().resume_us) == (6 * SECOND, 10 * SECOND)


@pytest.mark.parametrize(("tag", "resume_s"), [("InsertPresentation", 6), ("ReplacePresentation", 10)])
def test_alternative_mpds_are_played_too(tag: str, resume_s: int) -> None:
    stream = (
        '<EventStream schemeIdUri="urn:mpeg:dash:event:alternativeMPD:x:2025" timescale="1">'
        f'<Event presentationTime="6" duration="4" id="1"><{tag} url="ad.m3u8"/></Event></EventStream>'
    )
    files = content()
    files[f"{BASE}a.mpd"] = files[f"{BASE}a.mpd"].replace(b"<AdaptationSet", stream.encode() + b"<AdaptationSet", 1)
    show = Show(files | AD, "a.mpd")

    show.run()

    assert show.ended().resume_us == resume_s * SECOND
    assert show.ended().played_us == 4 * SECOND
