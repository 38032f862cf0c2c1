"""Low latency, end to end in virtual time: segments play while they are made, nearer to the edge than they last."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import pytest

from cushion_player.boxes import InitInfo, read_init, read_segment
from cushion_player.engine.snapshot import EngineSnapshot
from cushion_player.held_readings import HeldReadings
from cushion_player.journal import replay
from cushion_player.media.null_output import NullDecodeOutput
from cushion_player.model import PlaylistInfo, Representation, ServerControl
from cushion_player.notices import (
    LiveJumped,
    Notice,
    PlaybackFailed,
    RebufferStarted,
    RepresentationChanged,
    RungSelected,
    SegmentRetried,
)
from cushion_player.outputs import MediaFormat, MediaSegment
from cushion_player.player import Player
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.fault_script import FaultScript, Rule
from cushion_player.testing.faults import Fault, Hang, Refuse, Reset, Stall, Status, Truncate
from cushion_player.testing.live import DashOptions, HlsOptions, LiveConfig, LiveSite, Pathway, Programme, made_up_asset
from cushion_player.testing.transport import FakeTransport
from cushion_player.timeline import TrackKind
from cushion_player.transport.shaped import ShapedTransport
from cushion_traces.link import make_link
from tests.player.test_live_player import encrypt_aes128

SECOND = 1_000_000
BEGAN = 1_700_000_000 * SECOND
BASE = "http://live"
SEGMENT_US = 2 * SECOND


def low_latency(n_chunks: int, rates_bps: tuple[int, ...] = (300_000, 800_000)) -> LiveConfig:
    return LiveConfig(
        (Programme(made_up_asset(bitrates_bps=rates_bps, n_chunks=n_chunks)),),
        start_us=BEGAN,
        is_low_latency=True,
        dash=DashOptions(latency_ms=(1500, 1000, 4000), rates=(0.95, 1.05)),
        hls=HlsOptions(skip_until_s=12),
    )


class Fed(NamedTuple):
    """A coded frame that was handed to the output: its rung and its time in ticks."""

    rung: int
    dts: int


class FrameLog(NullDecodeOutput):
    """Notes every frame it is fed; as an output does, it passes over what lies before what it has."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.frames: dict[TrackKind, list[Fed]] = {TrackKind.VIDEO: [], TrackKind.AUDIO: []}
        self.formats: dict[TrackKind, tuple[int, InitInfo]] = {}
        self.whole = 0

    def switch_format(self, track: TrackKind, media_format: MediaFormat) -> None:
        self.formats[track] = media_format.rung, read_init(media_format.init)

    def feed(self, track: TrackKind, segment: MediaSegment) -> None:
        rung, info = self.formats[track]
        self.whole += segment.is_last_chunk
        self.frames[track] += [Fed(rung, sample.dts) for sample in read_segment(segment.data, info).samples]
        super().feed(track, segment)


class Session:
    """A player that joins a service 100 s after it began, over a link of `link_bps`."""

    def __init__(
        self,
        config: LiveConfig,
        path: str,
        *rules: Rule,
        link_bps: int = 4_000_000,
        rule: str = "bola_guarded",
    ) -> None:
        self.clock = FakeClock(5 * SECOND)
        self.origin = FakeTransport(
            self.clock,
            {},
            sites={BASE: LiveSite(config)},
            utc_offset_us=BEGAN + 95 * SECOND,
            faults=FaultScript(*rules),
        )
        self.journal = io.StringIO()
        self.output = FrameLog(self.clock)
        self.player = Player(
            transport=ShapedTransport(self.origin, self.clock, make_link([SECOND], [link_bps], 20_000)),
            clock=self.clock,
            output=self.output,
            journal=self.journal,
            rule=rule,
        )
        self.notices: list[Notice] = []
        self.player.subscribe(self.notices.append)
        self.url = BASE + path
        self.snapshots: list[EngineSnapshot] = []

    def run(self, seconds: int, act: Callable[[Player, int], None] | None = None) -> EngineSnapshot:
        async def scenario() -> None:
            began_us = self.clock.now_us()
            async with self.player as player:
                await player.load(self.url)
                player.play()
                for second in range(1, seconds + 1):
                    await self.clock.sleep_until(began_us + second * SECOND)
                    if act is not None:
                        act(player, second)
                    self.snapshots.append(player.snapshot().engine)

        self.clock.run(scenario())
        report = replay(io.StringIO(self.journal.getvalue()))
        assert report.is_equal, report.differences[:1]
        return self.snapshots[-1]

    def noticed(self, *kinds: type) -> list[Notice]:
        return [notice for notice in self.notices if isinstance(notice, kinds)]

    def asked(self, part: str) -> list[str]:
        return [request.url for request in self.origin.requests if part in request.url]

    def lost_or_repeated(self) -> list[tuple[TrackKind, int]]:
        """Where the frames that were fed are not one after the other, each once."""
        wrong: list[tuple[TrackKind, int]] = []
        for kind, frames in self.output.frames.items():
            times = [frame.dts for frame in frames]
            steps = Counter(later - earlier for earlier, later in pairwise(times))
            usual = set(dict(steps.most_common(2)))
            wrong += [(kind, later) for earlier, later in pairwise(times) if later - earlier not in usual]
        return wrong


BOTH = pytest.mark.parametrize("path", ["/live.mpd", "/live.m3u8"])


@BOTH
@pytest.mark.parametrize("n_chunks", [4, 8, 10])
def test_playback_stays_nearer_to_the_edge_than_a_segment_lasts(path: str, n_chunks: int) -> None:
    session = Session(low_latency(n_chunks), path)

    session.run(40)

    assert not session.noticed(RebufferStarted, PlaybackFailed, LiveJumped, SegmentRetried)
    settled = session.snapshots[10:]
    assert max(each.live_latency_us for each in settled) < SEGMENT_US
    assert all(abs(each.live_latency_us - each.target_latency_us) < SECOND // 2 for each in settled[10:])
    assert session.lost_or_repeated() == []
    assert session.snapshots[-1].rung == 1
    assert session.output.whole <= 4  # those that were there when it joined


@BOTH
@pytest.mark.parametrize("rule", ["bola_guarded", "throughput"])
@pytest.mark.parametrize("link_bps", [1_500_000, 20_000_000])
def test_the_estimate_is_the_links_rate_and_not_the_encoders(path: str, rule: str, link_bps: int) -> None:
    session = Session(low_latency(8), path, link_bps=link_bps, rule=rule)

    snapshot = session.run(30)

    assert snapshot.throughput_bps == pytest.approx(link_bps, rel=0.1)
    assert all(each.throughput_bps == pytest.approx(link_bps, rel=0.1) for each in session.snapshots[5:])


@BOTH
def test_a_link_faster_than_can_be_timed_is_known_to_be_fast_enough(path: str) -> None:
    session = Session(low_latency(10), path, link_bps=1_000_000_000)

    snapshot = session.run(12)

    assert snapshot.rung == 1
    assert snapshot.throughput_bps > 2_000_000


def test_a_link_that_becomes_slower_is_noticed() -> None:
    session = Session(low_latency(8), "/live.mpd")
    shaped = session.player._transport
    assert isinstance(shaped, ShapedTransport)

    def act(player: Player, second: int) -> None:
        if second == 15:
            shaped.set_link(make_link([SECOND], [700_000], 20_000))

    snapshot = session.run(60, act)

    assert snapshot.throughput_bps == pytest.approx(700_000, rel=0.15)
    assert snapshot.rung == 0
    assert session.noticed(RepresentationChanged)
    assert session.lost_or_repeated() == []


@pytest.mark.parametrize("fault", [Truncate(40_000), Reset(40_000), Stall(40_000), Truncate(60_000)])
@pytest.mark.parametrize("again", [(), (Status(503),)])
def test_a_body_that_breaks_off_goes_on_and_no_frame_comes_twice(fault: Fault, again: tuple[Fault, ...]) -> None:
    rule = Rule("/p0/v*/57.m4s", (fault, *again), is_per_path=False)
    session = Session(low_latency(8), "/live.mpd", rule)

    snapshot = session.run(40)

    assert session.noticed(SegmentRetried)
    assert session.lost_or_repeated() == []
    assert snapshot.live_latency_us < 5 * SECOND
    ranges = [request.byte_range for request in session.origin.requests if "/57.m4s" in request.url]
    assert any(byte_range is not None and byte_range[0] >= 40_000 for byte_range in ranges)


@pytest.mark.parametrize("fault", [Status(404), Truncate(2_000), Reset(2_000), Status(503)])
def test_a_part_that_fails_is_asked_for_again_and_no_frame_comes_twice(fault: Fault) -> None:
    rule = Rule("/p0/v*/57.3.m4s", (fault,), is_per_path=False)
    session = Session(low_latency(8), "/live.m3u8", rule)

    snapshot = session.run(40)

    assert len(session.asked("/57.3.m4s")) >= 3  # of the sound once, of the picture twice
    assert session.lost_or_repeated() == []
    assert snapshot.live_latency_us < 4 * SECOND


def test_a_segment_that_another_rung_must_finish_begins_again_there() -> None:
    rule = Rule("/p0/v1/57.m4s", (Truncate(60_000), *(Status(404),) * 9), is_per_path=False)
    session = Session(low_latency(8), "/live.mpd", rule)

    session.run(40)

    frames = [frame for frame in session.output.frames[TrackKind.VIDEO] if 112 <= frame.dts / 90_000 < 114]
    both = {rung: [frame.dts for frame in frames if frame.rung == rung] for rung in (0, 1)}
    assert both[1]
    assert both[0][0] == both[1][0]  # from its key frame, for the decoder
    assert sorted({frame.dts for frame in frames}) == both[0]  # nothing is missing


@BOTH
def test_when_a_host_dies_playback_goes_on_from_another_as_near_to_the_edge(path: str) -> None:
    config = replace(low_latency(8), pathways=(Pathway("a", f"{BASE}/"), Pathway("b", "http://two/")))
    session = Session(config, path, Rule(host="live", faults=(Refuse(),), repeats=True, from_us=15 * SECOND))
    session.origin.sites["http://two"] = session.origin.sites[BASE]

    session.run(35)

    assert not session.noticed(RebufferStarted, PlaybackFailed, LiveJumped)
    assert max(each.live_latency_us for each in session.snapshots[10:]) < SEGMENT_US
    assert session.lost_or_repeated() == []
    assert session.asked("http://two/p0/v1/")


def test_seeking_back_and_to_the_edge_hands_on_again_what_has_come() -> None:
    session = Session(low_latency(8), "/live.mpd")

    def act(player: Player, second: int) -> None:
        if second in (12, 13):
            player.seek(player.snapshot().engine.position_us - SECOND // 2)
        if second == 20:
            player.seek_to_live()

    snapshot = session.run(40, act)

    assert not session.noticed(PlaybackFailed)
    assert snapshot.live_latency_us < SEGMENT_US


# --------------------------------------------------------------------------- playlists


def test_parts_are_asked_for_before_they_are_there() -> None:
    session = Session(low_latency(8), "/live.m3u8")

    session.run(20)

    by_url = {request.url: request.time_us for request in session.origin.requests}
    early = [
        url
        for url, time_us in by_url.items()
        if ".m4s" in url and url.count(".") == 2 and "init" not in url and time_us + 95 * SECOND < ready_us(url)
    ]
    parts = [url for url in by_url if ".m4s" in url and url.count(".") == 2]
    assert len(early) > 0.9 * len(parts) > 50


def ready_us(url: str) -> int:
    """When a part of 250 ms is made, µs since the service began."""
    number, part = url.rpartition("/")[2].split(".")[:2]
    return (int(number) - 1) * SEGMENT_US + (int(part) + 1) * SECOND // 4


def test_reloads_name_the_next_part_and_leave_out_what_is_known() -> None:
    session = Session(low_latency(8), "/live.m3u8")

    session.run(20)

    reloads = session.asked("_HLS_msn=")
    assert len(reloads) > 100
    assert all("_HLS_part=" in url for url in reloads)
    assert sum("_HLS_skip=YES" in url for url in reloads) > 0.9 * len(reloads)


def test_a_rung_is_switched_to_where_the_rendition_report_says() -> None:
    with_reports = Session(low_latency(8), "/live.m3u8")
    without = Session(replace(low_latency(8), hls=HlsOptions(skip_until_s=12, has_reports=False)), "/live.m3u8")

    with_reports.run(12)
    without.run(12)

    for session in (with_reports, without):
        assert [notice.to_rung for notice in session.noticed(RungSelected) if isinstance(notice, RungSelected)][-1] == 1
        assert not session.noticed(RebufferStarted)
    assert "_HLS_msn=" in with_reports.asked("/v1.m3u8")[1]


LACKING = {
    "held reloads": replace(low_latency(8), hls=HlsOptions(can_block=False)),
    "parts": replace(low_latency(8), is_low_latency=False),
    "segments in the clear": replace(low_latency(8), hls=HlsOptions(segments_per_key=2, cipher=encrypt_aes128)),
}


@pytest.mark.parametrize("lacking", LACKING)
def test_without_what_parts_need_segments_are_played_whole(lacking: str) -> None:
    config = LACKING[lacking]
    session = Session(config, "/live.m3u8")

    snapshot = session.run(30)

    assert not session.noticed(RebufferStarted, PlaybackFailed)
    assert snapshot.live_latency_us > SEGMENT_US
    assert [url for url in session.asked(".m4s") if url.count(".") == 2] == []


@BOTH
def test_programmes_of_different_encodings_follow_one_another(path: str) -> None:
    other = made_up_asset(bitrates_bps=(300_000, 700_000), n_chunks=8)
    config = low_latency(8)
    config = replace(config, programmes=(Programme(config.programmes[0].asset, 6), Programme(other, 5)), repeats=True)
    session = Session(config, path)

    session.run(60)

    assert not session.noticed(RebufferStarted, PlaybackFailed, LiveJumped)
    assert max(each.live_latency_us for each in session.snapshots[10:]) < SEGMENT_US


@BOTH
def test_a_long_stall_ends_near_the_edge_and_is_told(path: str) -> None:
    silent = Rule("/p0/*", (Hang(),), repeats=True, from_us=15 * SECOND, until_us=27 * SECOND)
    session = Session(low_latency(8), path, silent)

    snapshot = session.run(60)

    jumps = [notice for notice in session.noticed(LiveJumped) if isinstance(notice, LiveJumped)]
    assert "it was too far behind the edge" in [jump.reason for jump in jumps]
    assert not session.noticed(PlaybackFailed)
    assert snapshot.live_latency_us < 3 * SECOND


def test_text_beside_parts_is_not_read_again_all_the_time() -> None:
    reads: list[int] = []
    clock = FakeClock()
    held = Representation("video", playlist=PlaylistInfo(server_control=ServerControl(can_block_reload=True)))
    plain = Representation("text", playlist=PlaylistInfo(target_duration=Fraction(2)))

    async def read(item: Representation) -> None:
        if item is plain:
            reads.append(clock.now_us())
        else:
            await clock.sleep_until(clock.now_us() + SECOND // 4)

    async def scenario() -> None:
        readings = HeldReadings(clock, read)
        async with asyncio.TaskGroup() as group:
            while clock.now_us() < 9 * SECOND:
                await readings.first([held, plain], group)
            readings.cancel()

    clock.run(scenario())
    assert len(reads) == 5
