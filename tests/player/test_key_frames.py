"""Scrubbing by the key frames a manifest lists: found when first wanted, shown alone, and never waited for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from cushion_player.media.null_output import NullDecodeOutput
from cushion_player.notices import TrackDropped
from cushion_player.outputs import MediaFormat, MediaSegment
from cushion_player.player import Player
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.faults import Status
from cushion_player.testing.transport import FakeTransport
from cushion_player.timeline import TrackKind

BASE = "http://origin/"
N_SECONDS = 20
MASTER = f"""#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=400000,RESOLUTION=426x240,CODECS="avc1.64001f"
{BASE}v.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=30000,RESOLUTION=426x240,URI="{BASE}i240.m3u8"
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=60000,RESOLUTION=640x360,URI="{BASE}i360.m3u8"
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=90000,RESOLUTION=854x480,URI="{BASE}i480.m3u8"
"""


def media(mark: bytes) -> bytes:
    """A box that says whose it is."""
    return (1000).to_bytes(4, "big") + b"mdat" + mark * 992


def hls() -> dict[str, bytes]:
    """Segments of two seconds, a key frame a second in files of their own."""
    lines = "".join(f"#EXTINF:2,\nv{index}.m4s\n" for index in range(N_SECONDS // 2))
    frames = "".join(f"#EXTINF:1,\ni{index}.m4s\n" for index in range(N_SECONDS))
    head = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI="init.mp4"\n'
    served = {f"{BASE}m.m3u8": MASTER.encode(), f"{BASE}init.mp4": bytes(500)}
    served[f"{BASE}v.m3u8"] = f"{head}{lines}#EXT-X-ENDLIST\n".encode()
    served[f"{BASE}i360.m3u8"] = f"{head}#EXT-X-I-FRAMES-ONLY\n{frames}#EXT-X-ENDLIST\n".encode()
    served |= {f"{BASE}v{index}.m4s": media(b"v") for index in range(N_SECONDS // 2)}
    served |= {f"{BASE}i{index}.m4s": media(b"i")[:500] for index in range(N_SECONDS)}  # cut, as ranges of segments are
    return served


def dash() -> dict[str, bytes]:
    """The same as sets of one MPD."""
    sets = "".join(
        f'<AdaptationSet id="{name}" mimeType="video/mp4">{said}<SegmentTemplate media="{name}$Number$.m4s" '
        f'initialization="init.mp4" duration="{seconds}" startNumber="0"/>'
        f'<Representation id="{name}" bandwidth="400000" height="240" codecs="avc1.64001f"/></AdaptationSet>'
        for name, seconds, said in (
            ("v", 2, ""),
            ("i", 1, '<EssentialProperty schemeIdUri="http://dashif.org/guidelines/trickmode" value="v"/>'),
        )
    )
    mpd = (
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" profiles="urn:mpeg:dash:profile:isoff-live:2011" '
        f'mediaPresentationDuration="PT{N_SECONDS}S"><Period>{sets}</Period></MPD>'
    )
    return {**hls(), f"{BASE}m.mpd": mpd.encode()}


class Recording(NullDecodeOutput):
    """Remembers what it was fed: whose media, from when, and whether only the first picture of it is meant."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.fed: list[tuple[str, float, bool]] = []
        self._is_first_only = False

    def switch_format(self, track: TrackKind, media_format: MediaFormat) -> None:
        self._is_first_only = media_format.has_key_frames_only

    def feed(self, track: TrackKind, segment: MediaSegment) -> None:
        self.fed.append((chr(segment.data[-1]), segment.start_us / 1e6, self._is_first_only))
        super().feed(track, segment)


class Rig:
    def __init__(self, content: dict[str, bytes]) -> None:
        self.clock = FakeClock()
        self.transport = FakeTransport(self.clock, content, latency_us=5_000)
        self.output = Recording(self.clock)

    def run(self, url: str, act: Callable[[Player], Awaitable[None]]) -> None:
        async def play() -> None:
            async with Player(transport=self.transport, clock=self.clock, output=self.output) as player:
                await player.load(url)
                player.play()
                await self.pass_(1)
                self.output.fed.clear()
                await act(player)

        self.clock.run(play())

    async def pass_(self, seconds: float) -> None:
        await self.clock.sleep_until(self.clock.now_us() + round(seconds * 1e6))

    def asked(self, name: str) -> int:
        return sum(request.url == BASE + name for request in self.transport.requests)


@pytest.mark.parametrize(("url", "content"), [("m.m3u8", hls), ("m.mpd", dash)])
def test_key_frames_are_shown_while_the_viewer_scrubs_and_the_film_afterwards(
    url: str, content: Callable[[], dict[str, bytes]]
) -> None:
    rig = Rig(content())

    async def scrub(player: Player) -> None:
        assert rig.asked("i360.m3u8") == 0, "nobody has scrubbed yet"
        player.set_scrubbing(True)
        await rig.pass_(0.1)
        for position_us in (7_500_000, 13_200_000):
            player.seek(position_us)
            await rig.pass_(0.1)
        player.set_scrubbing(False)
        await rig.pass_(1)
        player.set_scrubbing(True)
        player.set_scrubbing(False)
        await rig.pass_(1)

    rig.run(BASE + url, scrub)

    assert rig.output.fed[:3] == [("i", 7.0, True), ("i", 13.0, True), ("v", 12.0, False)]
    assert rig.asked("i360.m3u8") == (1 if url == "m.m3u8" else 0)
    assert rig.asked("i7.m4s") == 1
    assert not any(rig.asked(name) for name in ("i240.m3u8", "i480.m3u8"))


def test_without_its_playlist_scrubbing_goes_by_whole_segments() -> None:
    rig = Rig(hls())
    rig.transport.faults.once(BASE + "i360.m3u8", Status(404))

    async def scrub(player: Player) -> None:
        player.set_scrubbing(True)
        await rig.pass_(0.1)
        player.seek(13_200_000)
        await rig.pass_(0.1)

    rig.run(BASE + "m.m3u8", scrub)

    assert rig.output.fed[0] == ("v", 12.0, False)


def test_a_key_frame_that_is_missing_gives_way_to_the_segment_it_stands_for() -> None:
    served = hls()
    for index in range(N_SECONDS):
        del served[f"{BASE}i{index}.m4s"]
    rig = Rig(served)
    dropped: list[str] = []

    async def scrub(player: Player) -> None:
        player.subscribe(lambda notice: dropped.append(notice.key) if isinstance(notice, TrackDropped) else None)
        player.set_scrubbing(True)
        await rig.pass_(0.1)
        player.seek(13_200_000)
        await rig.pass_(10)
        player.set_scrubbing(False)
        await rig.pass_(1)

    rig.run(BASE + "m.m3u8", scrub)

    assert len(dropped) == 1
    assert rig.output.fed[0] == ("v", 12.0, False)


def test_closing_while_key_frames_are_looked_for_leaves_nothing_behind() -> None:
    rig = Rig(hls())
    rig.transport.latency_us = 5_000_000

    async def scrub(player: Player) -> None:
        player.set_scrubbing(True)
        await rig.pass_(0.1)

    rig.run(BASE + "m.m3u8", scrub)

    assert rig.transport.open_streams == 0
