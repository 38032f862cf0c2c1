"""Live, end to end in virtual time: a player follows services that are functions of time."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from cushion_player.engine import Loop, TrackSelection
from cushion_player.engine.snapshot import EngineSnapshot
from cushion_player.errors import UsageError
from cushion_player.journal import replay
from cushion_player.media.null_output import NullDecodeOutput
from cushion_player.notices import (
    LiveEnded,
    LiveJumped,
    LoopedBack,
    Notice,
    PlaybackEnded,
    PlaybackFailed,
    PlaybackStarted,
    RebufferStarted,
    RungLost,
    TrackDropped,
    TrackSwitched,
)
from cushion_player.player import Player
from cushion_player.testing.answers import Answer, NotYet
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.fault_script import Rule
from cushion_player.testing.faults import Status
from cushion_player.testing.live import DashOptions, HlsOptions, LiveConfig, LiveSite, Programme, made_up_asset
from cushion_player.testing.transport import FakeTransport
from cushion_player.timeline import TrackKind
from cushion_player.transport.shaped import ShapedTransport
from cushion_traces.link import make_link

SECOND = 1_000_000
BEGAN = 1_700_000_000 * SECOND
JOINED_S = 100
BASE = "http://live"
ASSET = made_up_asset(bitrates_bps=(100_000, 200_000), n_chunks=4)
OTHER = made_up_asset(bitrates_bps=(100_000, 300_000), n_chunks=4, segment_ms=1000, timescale=48_000)
PLAIN = LiveConfig((Programme(ASSET),), start_us=BEGAN)
CHANGING = replace(PLAIN, programmes=(Programme(ASSET, 6), Programme(OTHER, 5)), repeats=True, window_us=20 * SECOND)
LINK = make_link([SECOND], [4_000_000], 20_000)


def encrypt_aes128(key: bytes, iv: bytes, clear: bytes) -> bytes:
    padding = 16 - len(clear) % 16
    encryptor = Cipher(AES(key), CBC(iv)).encryptor()
    return encryptor.update(clear + bytes([padding]) * padding) + encryptor.finalize()


class Session:
    """A player that joins a service 100 s after it began."""

    def __init__(self, config: LiveConfig, path: str = "/live.mpd", *, shift_s: float = 0.0) -> None:
        self.clock = FakeClock(5 * SECOND)
        self.site = LiveSite(config)
        self.origin = FakeTransport(
            self.clock, {}, sites={BASE: self.site}, utc_offset_us=BEGAN + (JOINED_S - 5) * SECOND
        )
        self.transport = ShapedTransport(self.origin, self.clock, LINK)
        self.journal = io.StringIO()
        self.notices: list[Notice] = []
        self.player = Player(
            transport=self.transport,
            clock=self.clock,
            output=NullDecodeOutput(self.clock),
            rule="throughput",
            journal=self.journal,
        )
        self.player.subscribe(self.notices.append)
        self.url = BASE + path
        self.snapshots: list[EngineSnapshot] = []

    def run(self, seconds: float, actions: Mapping[float, Callable[[Player], None]] | None = None) -> EngineSnapshot:
        """Play for so long; do things on the way, and note a snapshot each second."""

        async def scenario() -> EngineSnapshot:
            began_us = self.clock.now_us()
            left = dict(actions or {})
            async with self.player as player:
                await player.load(self.url)
                player.play()
                for second in range(1, round(seconds) + 1):
                    await self.clock.sleep_until(began_us + second * SECOND)
                    for at in [at for at in left if at <= second]:
                        left.pop(at)(player)
                    self.snapshots.append(player.snapshot().engine)
                return player.snapshot().engine

        return self.clock.run(scenario())

    def noticed(self, *kinds: type) -> list[Notice]:
        return [notice for notice in self.notices if isinstance(notice, kinds)]

    def check_replays(self) -> None:
        report = replay(io.StringIO(self.journal.getvalue()))
        assert report.is_equal, report.differences[:1]

    def requested(self, part: str) -> list[str]:
        return [request.url for request in self.origin.requests if part in request.url]


@pytest.mark.parametrize("addressing", ["number", "timeline-number", "timeline-time"])
def test_a_live_mpd_is_joined_and_followed(addressing: str) -> None:
    session = Session(replace(PLAIN, dash=DashOptions(addressing=addressing, suggested_delay_s=6.0)))

    snapshot = session.run(60)

    assert session.noticed(PlaybackStarted)
    assert not session.noticed(RebufferStarted, PlaybackFailed, LiveJumped)
    assert snapshot.is_live
    assert abs(snapshot.live_latency_us - 6 * SECOND) < 1.5 * SECOND
    assert abs(snapshot.position_us - (JOINED_S + 60 - 6) * SECOND) < 2 * SECOND
    session.check_replays()


@pytest.mark.parametrize("has_program_time", [True, False])
def test_live_playlists_are_joined_and_followed(has_program_time: bool) -> None:
    session = Session(replace(PLAIN, hls=HlsOptions(has_program_time=has_program_time)), "/live.m3u8")

    snapshot = session.run(60)

    assert session.noticed(PlaybackStarted)
    assert not session.noticed(RebufferStarted, PlaybackFailed, LiveJumped)
    assert snapshot.is_live
    assert 4 * SECOND < snapshot.live_latency_us < 9 * SECOND
    session.check_replays()


@pytest.mark.parametrize("path", ["/live.mpd", "/live.m3u8"])
def test_periods_and_discontinuities_are_played_through(path: str) -> None:
    session = Session(CHANGING, path)

    snapshot = session.run(90)

    assert not session.noticed(RebufferStarted, PlaybackFailed, LiveJumped)
    assert snapshot.position_us - session.snapshots[5].position_us > 80 * SECOND
    session.check_replays()


@pytest.mark.parametrize("path", ["/live.mpd", "/live.m3u8"])
@pytest.mark.parametrize("ends_as", ["static", "duration"])
def test_a_live_event_is_played_to_its_end(path: str, ends_as: str) -> None:
    session = Session(replace(PLAIN, end_us=130 * SECOND, dash=DashOptions(ends_as=ends_as)), path)

    async def scenario() -> PlaybackEnded | PlaybackFailed:
        async with session.player as player:
            await player.load(session.url)
            player.play()
            return await player.wait_finished()

    ended = session.clock.run(scenario())

    assert isinstance(ended, PlaybackEnded)
    assert len(session.noticed(LiveEnded)) == 1
    assert session.clock.now_us() < 45 * SECOND
    session.check_replays()


def test_the_tracks_of_a_live_presentation_can_be_chosen_and_others_are_refused() -> None:
    session = Session(PLAIN)

    def look(player: Player) -> None:
        assert [track.kind for track in player.tracks] == [TrackKind.VIDEO, TrackKind.AUDIO]
        player.select_tracks(TrackSelection(audio=player.tracks[1].key))
        with pytest.raises(UsageError, match="there is no audio track 'audio/none'"):
            player.select_tracks(TrackSelection(audio="audio/none"))

    session.run(4, {2: look})


LANGUAGES = ("en", *(f"a{letter}" for letter in "abcdefghijklmnopqrs"))


def many_languages(config: LiveConfig) -> Session:
    """A session of HLS whose sound there is in twenty languages, each with a playlist of its own."""
    session = Session(config, "/many.m3u8")
    answer = session.site.response("/live.m3u8", "", BEGAN + JOINED_S * SECOND)
    assert isinstance(answer, Answer)
    lines = answer.body.decode().splitlines()
    sound = next(line for line in lines if "TYPE=AUDIO" in line)
    each = [
        sound.replace('"audio 0"', f'"{language}"')
        .replace('LANGUAGE="en"', f'LANGUAGE="{language}"')
        .replace("a0.m3u8", f"a0.m3u8?in={language}")
        .replace('"a0"', f'"{language}"')
        for language in LANGUAGES
    ]
    lines[lines.index(sound) : lines.index(sound) + 1] = [
        each[0],
        *(line.replace("DEFAULT=YES", "DEFAULT=NO") for line in each[1:]),
    ]
    session.origin.content[f"{BASE}/many.m3u8"] = "\n".join(lines).encode()
    return session


def languages_read(session: Session) -> Counter[str]:
    return Counter(url.partition("in=")[2].partition("&")[0] for url in session.requested("a0.m3u8"))


@pytest.mark.parametrize("is_low_latency", [False, True])
def test_of_twenty_languages_only_the_playlist_of_the_one_that_is_heard_is_followed(is_low_latency: bool) -> None:
    session = many_languages(replace(PLAIN, is_low_latency=is_low_latency, window_us=20 * SECOND))

    chosen: list[str] = []

    def choose(language: str) -> Callable[[Player], None]:
        def act(player: Player) -> None:
            chosen.append(next(track.key for track in player.tracks if track.language == language))
            player.select_tracks(TrackSelection(audio=chosen[-1]))

        return act

    snapshot = session.run(120, {60: choose("ab"), 90: choose("en")})

    read = languages_read(session)
    assert set(read) == set(LANGUAGES)
    assert {language for language, count in read.items() if count > 1} == {"en", "ab"}
    assert read["ab"] < read["en"]
    assert [each.key for each in session.notices if isinstance(each, TrackSwitched)] == chosen
    assert session.noticed(RebufferStarted, PlaybackFailed, LiveJumped, TrackDropped) == []
    assert snapshot.position_us > 115 * SECOND
    session.check_replays()


@pytest.mark.parametrize("path", ["/live.mpd", "/live.m3u8"])
@pytest.mark.parametrize("paused_s", [15, 90])
def test_what_was_received_is_shown_again_after_it_has_left_the_window(path: str, paused_s: int) -> None:
    encrypted = replace(PLAIN, window_us=10 * SECOND, hls=HlsOptions(segments_per_key=2, cipher=encrypt_aes128))
    session = Session(encrypted, path)

    def begin_anew(player: Player) -> None:
        player.set_scrubbing(True)
        player.set_scrubbing(False)

    actions = {5.0: Player.pause, 5.0 + paused_s: begin_anew, 6.0 + paused_s: Player.play}
    session.run(20 + paused_s, actions)

    assert not session.noticed(PlaybackFailed)
    assert session.snapshots[-1].position_us > session.snapshots[-5].position_us
    session.check_replays()


@pytest.mark.parametrize("path", ["/live.mpd", "/live.m3u8"])
def test_who_goes_to_the_edge_while_paused_is_not_taken_back_to_the_window(path: str) -> None:
    session = Session(replace(PLAIN, window_us=30 * SECOND), path)

    snapshot = session.run(220, {5: Player.pause, 200: Player.seek_to_live, 202: Player.play})

    assert not session.noticed(LiveJumped)
    assert snapshot.live_latency_us < snapshot.target_latency_us + 4 * SECOND
    session.check_replays()


@pytest.mark.parametrize("path", ["/live.mpd", "/live.m3u8"])
def test_a_stretch_of_a_live_presentation_is_looped_exactly(path: str) -> None:
    session = Session(PLAIN, path)
    ends: list[int] = []

    def loop(player: Player) -> None:
        start_us = player.snapshot().engine.position_us
        ends.append(start_us + 3 * SECOND)
        player.set_loop(Loop(start_us, ends[0]))

    session.run(30, {5: loop})

    looped = [notice for notice in session.notices if isinstance(notice, LoopedBack)]
    assert len(looped) >= 6
    assert all(abs(notice.from_us - ends[0]) <= 1000 for notice in looped)
    session.check_replays()


@pytest.mark.parametrize("segments_per_key", [0, 1])
def test_an_initialisation_segment_that_comes_late_is_had_for_newer_segments(segments_per_key: int) -> None:
    config = replace(PLAIN, window_us=10 * SECOND)
    if segments_per_key:
        config = replace(PLAIN, hls=HlsOptions(segments_per_key=segments_per_key, cipher=encrypt_aes128))
    session = Session(config, "/live.m3u8")
    busy = Status(503, retry_after="8")
    session.origin.faults.add(Rule("*init*", (busy,) if segments_per_key else (busy, busy)))

    snapshot = session.run(50)

    assert session.noticed(PlaybackStarted)
    assert not session.noticed(RungLost, RebufferStarted, PlaybackFailed)
    assert snapshot.phase == "steady"
    session.check_replays()


class Restarting:
    """A service whose encoder dies 20 s after the player joined and begins anew some seconds later, from 0."""

    def __init__(self, dead_s: int, options: DashOptions) -> None:
        config = replace(PLAIN, dash=options, window_us=20 * SECOND)
        self.died_us = BEGAN + (JOINED_S + 20) * SECOND
        self.back_us = self.died_us + dead_s * SECOND
        self.first = LiveSite(config)
        self.second = LiveSite(replace(config, start_us=self.back_us))

    def response(self, path: str, query: str, now_us: int) -> Answer | NotYet:
        if now_us < self.died_us:
            return self.first.response(path, query, now_us)
        if now_us < self.back_us + 3 * SECOND:  # what it has left behind, until there is a segment again
            return self.first.response(path, query, self.died_us) if path.endswith(".mpd") else Answer(404)
        return self.second.response(path, query, now_us)


@pytest.mark.parametrize("addressing", ["number", "timeline-number", "timeline-time"])
def test_an_encoder_that_begins_anew_is_followed(addressing: str) -> None:
    session = Session(PLAIN)
    session.origin.sites[BASE] = Restarting(4, DashOptions(addressing=addressing))

    now = session.run(70)

    assert session.noticed(PlaybackFailed) == []
    assert len(session.noticed(RebufferStarted)) <= 2
    assert now.position_us - session.snapshots[-11].position_us == pytest.approx(10 * SECOND, abs=SECOND)
    assert now.live_latency_us < 15 * SECOND
    session.check_replays()
