"""The wall-clock driver, in virtual time: one engine under two drivers, failures, seeks, closing."""

from __future__ import annotations

import asyncio
import io
import json

import pytest

from cushion_player.effects import FetchSegment
from cushion_player.engine import EngineConfig, Limits, PlaybackEngine
from cushion_player.errors import HttpStatusError, ManifestError, UsageError
from cushion_player.journal import replay
from cushion_player.media.null_output import NullDecodeOutput
from cushion_player.notices import Notice, PlaybackEnded, PlaybackFailed, RebufferStarted, SeekEnded, SegmentRetried
from cushion_player.player import Player
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.faults import Hang, Status, Truncate
from cushion_player.testing.timelines import FILM_LADDER_BPS
from cushion_player.testing.transport import FakeTransport
from cushion_player.testing.virtual import VirtualDriver
from cushion_player.transport.shaped import ShapedTransport
from cushion_traces.link import Link, make_link

SECOND = 1_000_000
BASE = "http://origin/title/"
N_SEGMENTS = 15
STEP = make_link([6 * SECOND, 6 * SECOND, 6 * SECOND], [6_000_000, 1_000_000, 6_000_000], 40_000)


def size_bytes(rung: int) -> int:
    return FILM_LADDER_BPS[rung] * 2 // 8


def manifest(*, audio: bool = True) -> bytes:
    def representation(key: str, bps: int, size: int, attributes: str) -> str:
        urls = "".join(
            f'<SegmentURL media="{key}/{index}.m4s" mediaRange="0-{size - 1}"/>' for index in range(N_SEGMENTS)
        )
        return (
            f'<Representation id="{key}" bandwidth="{bps}" {attributes}><SegmentList timescale="1" duration="2">'
            f'<Initialization sourceURL="{key}/init.mp4"/>{urls}</SegmentList></Representation>'
        )

    video = "".join(
        representation(
            f"v{rung}", bps, size_bytes(rung), f'width="{rung}00" height="{rung + 1}00" codecs="avc1.64001f"'
        )
        for rung, bps in enumerate(FILM_LADDER_BPS)
    )
    sound = representation("a", 128_000, 32_000, 'codecs="mp4a.40.2"')
    sets = f'<AdaptationSet contentType="video" mimeType="video/mp4">{video}</AdaptationSet>'
    if audio:
        sets += f'<AdaptationSet contentType="audio" mimeType="audio/mp4" lang="en">{sound}</AdaptationSet>'
    return (
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" profiles="urn:mpeg:dash:profile:full:2011" '
        f'mediaPresentationDuration="PT{2 * N_SEGMENTS}S" minBufferTime="PT2S"><Period>{sets}</Period></MPD>'
    ).encode()


def media(n_bytes: int) -> bytes:
    """One box of so many bytes."""
    return n_bytes.to_bytes(4) + b"mdat" + bytes(n_bytes - 8)


def content(*, audio: bool = True) -> dict[str, bytes]:
    files = {f"{BASE}a.mpd": manifest(audio=audio), f"{BASE}a/init.mp4": b"i" * 800}
    for index in range(N_SEGMENTS):
        files[f"{BASE}a/{index}.m4s"] = media(32_000)
        for rung in range(len(FILM_LADDER_BPS)):
            files[f"{BASE}v{rung}/init.mp4"] = b"i" * 800
            files[f"{BASE}v{rung}/{index}.m4s"] = media(size_bytes(rung))
    return files


class Session:
    """A player over a fake origin and a modelled link, in virtual time."""

    def __init__(self, link: Link | None = None, *, rule: str = "bba2", audio: bool = True) -> None:
        self.clock = FakeClock()
        self.origin = FakeTransport(self.clock, content(audio=audio))
        self.transport = ShapedTransport(self.origin, self.clock, link)
        self.notices: list[Notice] = []
        self.journal = io.StringIO()
        self.player = Player(
            transport=self.transport,
            clock=self.clock,
            output=NullDecodeOutput(self.clock),
            config=EngineConfig(),
            rule=rule,
            journal=self.journal,
        )
        self.player.subscribe(self.notices.append)

    async def play(self, start_us: int = 0) -> PlaybackEnded | PlaybackFailed:
        async with self.player as player:
            await player.load(f"{BASE}a.mpd", start_us)
            player.play()
            return await player.wait_finished()


@pytest.mark.parametrize("rule", ["throughput", "bba2", "bola"])
def test_both_drivers_take_the_same_decisions(rule: str) -> None:
    link = make_link([SECOND], [1_900_000], 40_000)
    session = Session(link, rule=rule, audio=False)
    ended = session.clock.run(session.play())
    decisions: list[tuple[int, int]] = []
    virtual = PlaybackEngine(EngineConfig(), rule)
    driver = VirtualDriver(virtual, session.player.plan.timeline, link)
    driver.start()
    driver.run()

    for line in session.journal.getvalue().splitlines()[1:]:
        report = line.split('{"$":"FetchSegment",')[1:]
        decisions += [
            (int(part.split('"index":')[1].split(",")[0]), int(part.split('"rung":')[1].split(",")[0]))
            for part in report
        ]

    assert ended == PlaybackEnded(30 * SECOND)
    assert decisions == [(fetch.index, fetch.rung) for _, fetch in driver.requests if isinstance(fetch, FetchSegment)]
    assert len({rung for _, rung in decisions}) >= 3


def test_a_session_over_the_step_link_does_not_stall_and_its_journal_replays() -> None:
    session = Session(STEP)

    ended = session.clock.run(session.play())

    report = replay(io.StringIO(session.journal.getvalue()))
    assert isinstance(ended, PlaybackEnded)
    assert not [notice for notice in session.notices if isinstance(notice, RebufferStarted)]
    assert report.is_equal, report.differences[:1]
    assert report.decisions == 2 * N_SEGMENTS


def test_after_an_abandoned_request_the_next_one_is_there_within_100_ms() -> None:
    outage = make_link([5 * SECOND, 60 * SECOND], [9_000_000, 400_000], 40_000)
    session = Session(outage, rule="throughput")

    session.clock.run(session.play())

    calls = [json.loads(line) for line in session.journal.getvalue().splitlines()[1:]]
    given_up = [call["now"] for call in calls if any(each["$"] == "AbandonSegment" for each in call.get("events", []))]
    asked = [call["now"] for call in calls if any(each["$"] == "FetchSegment" for each in call.get("events", []))]
    arrivals = [request.time_us for request in session.origin.requests if "/v" in request.url]
    assert given_up
    for at_us in given_up:
        assert at_us in asked
        assert any(at_us <= arrived_us <= at_us + 100_000 for arrived_us in arrivals)


def test_seek_and_pause_reach_the_engine() -> None:
    session = Session(STEP)

    async def scenario() -> PlaybackEnded | PlaybackFailed:
        async with session.player as player:
            await player.load(f"{BASE}a.mpd")
            player.play()
            await session.clock.sleep_until(5 * SECOND)
            player.set_limits(Limits(max_height_px=200))
            player.seek(20 * SECOND)
            player.pause()
            await session.clock.sleep_until(9 * SECOND)
            held = player.snapshot().engine
            assert held.is_paused
            assert held.position_us == 20 * SECOND
            player.play()
            return await player.wait_finished()

    assert session.clock.run(scenario()) == PlaybackEnded(30 * SECOND)
    assert [notice for notice in session.notices if isinstance(notice, SeekEnded)]


def test_leaving_early_leaves_no_task_and_no_open_request() -> None:
    session = Session(make_link([SECOND], [200_000], 40_000))

    async def scenario() -> set[str]:
        async with session.player as player:
            await player.load(f"{BASE}a.mpd")
            player.play()
            await session.clock.sleep_until(2 * SECOND)
        return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}

    assert session.clock.run(scenario()) == set()
    assert session.origin.open_streams == 0


def test_who_waits_on_a_player_that_is_closed_is_told() -> None:
    session = Session(make_link([SECOND], [200_000], 40_000))

    async def scenario() -> None:
        async with session.player as player:
            await player.load(f"{BASE}a.mpd")
            waiting = asyncio.create_task(player.wait_finished())
            await session.clock.sleep_until(SECOND)
        with pytest.raises(UsageError, match="closed"):
            await waiting

    session.clock.run(scenario())


@pytest.mark.logs_warnings
def test_a_subscriber_that_fails_does_not_stop_the_playback() -> None:
    session = Session()

    def fail(notice: Notice) -> None:
        raise RuntimeError("listener")

    session.player.subscribe(fail)

    assert isinstance(session.clock.run(session.play()), PlaybackEnded)


def test_missing_manifest_is_a_status_error() -> None:
    session = Session()

    async def scenario() -> None:
        with pytest.raises(HttpStatusError, match="404"):
            async with session.player as player:
                await player.load(f"{BASE}none.mpd")

    session.clock.run(scenario())


def test_html_instead_of_a_manifest_is_a_manifest_error() -> None:
    session = Session()
    session.origin.content[f"{BASE}a.mpd"] = b"<!doctype html><html><body>Sign in</body></html>"

    async def scenario() -> None:
        async with session.player as player:
            with pytest.raises(ManifestError, match="HTML"):
                await player.load(f"{BASE}a.mpd")

    session.clock.run(scenario())


def test_missing_audio_segment_plays_up_to_it_and_then_says_so() -> None:
    session = Session()
    del session.origin.content[f"{BASE}a/4.m4s"]

    failed = session.clock.run(session.play())

    assert isinstance(failed, PlaybackFailed)
    assert failed.position_us == 8 * SECOND
    assert "segment 4" in failed.message
    assert "404" in failed.message
    assert len(failed.attempts) == 1


def test_truncated_segment_is_fetched_again() -> None:
    session = Session()
    session.origin.faults.once(f"{BASE}a/3.m4s", Truncate(1000))

    ended = session.clock.run(session.play())

    assert isinstance(ended, PlaybackEnded)
    assert [notice.index for notice in session.notices if isinstance(notice, SegmentRetried)] == [3]


def test_a_server_that_hangs_ends_within_its_timeouts() -> None:
    session = Session()
    session.origin.faults.always(f"{BASE}a/2.m4s", Hang())

    failed = session.clock.run(session.play())

    assert isinstance(failed, PlaybackFailed)
    assert failed.code == "fetch_timeout"
    assert session.clock.now_us() < 45 * SECOND


def test_service_unavailable_waits_as_the_server_asks() -> None:
    session = Session()
    session.origin.faults.once(f"{BASE}a/3.m4s", Status(503, retry_after="3"))

    ended = session.clock.run(session.play())

    (retried,) = [notice for notice in session.notices if isinstance(notice, SegmentRetried)]
    assert isinstance(ended, PlaybackEnded)
    assert retried.delay_us == 3 * SECOND
