"""Events of every format through the player, at their times."""

from __future__ import annotations

import base64
from struct import pack

from cushion_player.media.null_output import NullDecodeOutput
from cushion_player.notices import Notice, TimedEventBegan, TimedEventEnded
from cushion_player.player import Player
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.transport import FakeTransport
from cushion_player.timed import EventSource, TimedEvent
from tests.player.test_player import BASE, content
from tests.player.timed.test_scte35 import SPLICE_INSERT, TIME_SIGNAL

SECOND = 1_000_000


def play(files: dict[str, bytes], manifest: str) -> list[Notice]:
    clock = FakeClock()
    notices: list[Notice] = []
    player = Player(
        transport=FakeTransport(clock, files, latency_us=20_000), clock=clock, output=NullDecodeOutput(clock)
    )
    player.subscribe(notices.append)

    async def run() -> None:
        async with player:
            await player.load(BASE + manifest)
            player.play()
            await player.wait_finished()

    clock.run(run())
    return [notice for notice in notices if isinstance(notice, TimedEventBegan | TimedEventEnded)]


def began(notices: list[Notice]) -> list[tuple[int, TimedEvent]]:
    return [(notice.position_us, notice.event) for notice in notices if isinstance(notice, TimedEventBegan)]


def test_events_of_an_mpd_are_told_at_their_times_with_splices_understood() -> None:
    stream = (
        '<EventStream schemeIdUri="urn:scte:scte35:2014:xml+bin" timescale="10">'
        '<Event presentationTime="50" duration="40" id="7"><Signal xmlns="http://www.scte.org/schemas/35/2016">'
        f"<Binary>{SPLICE_INSERT}</Binary></Signal></Event></EventStream>"
    )
    files = content()
    files[f"{BASE}a.mpd"] = files[f"{BASE}a.mpd"].replace(b"<AdaptationSet", stream.encode() + b"<AdaptationSet", 1)

    notices = play(files, "a.mpd")

    ((position_us, event),) = began(notices)
    (ended,) = [notice for notice in notices if isinstance(notice, TimedEventEnded)]
    assert (position_us, event.source, event.id) == (5 * SECOND, EventSource.MANIFEST, "7")
    assert event.scte35 is not None
    assert (event.scte35.is_out, event.scte35.event_id) == (True, 0x4800008F)
    assert (ended.position_us, ended.event) == (9 * SECOND, event)


def emsg(version: int, time: int, number: int, payload: bytes) -> bytes:
    scheme = b"urn:scte:scte35:2013:bin\0" + b"1\0"
    if version:
        body = pack(">IQII", 1000, time, 500, number) + scheme
    else:
        body = scheme + pack(">IIII", 1000, time, 500, number)
    box = b"emsg" + bytes([version, 0, 0, 0]) + body + payload
    return (len(box) + 4).to_bytes(4, "big") + box


def test_events_in_segments_are_told_once_though_every_rung_repeats_them() -> None:
    files = content(audio=False)
    payload = base64.b64decode(TIME_SIGNAL)
    for rung in range(4):
        for index, box in ((3, emsg(0, 250, 1, payload)), (4, emsg(1, 6250, 1, payload) + emsg(1, 9000, 2, payload))):
            name = f"{BASE}v{rung}/{index}.m4s"
            files[name] = box + files[name][len(box) :]

    told = began(play(files, "a.mpd"))

    assert [(position_us, event.id) for position_us, event in told] == [(6_250_000, "1"), (9_000_000, "2")]
    assert all(event.source is EventSource.SEGMENT and event.scte35 is not None for _, event in told)


def test_date_ranges_are_placed_by_the_dates_of_the_segments() -> None:
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:2", "#EXT-X-PLAYLIST-TYPE:VOD"]
    files: dict[str, bytes] = {}
    lines.append("#EXT-X-PROGRAM-DATE-TIME:2026-11-25T10:00:00.000Z")
    hexadecimal = base64.b64decode(SPLICE_INSERT).hex().upper()
    lines.append(
        '#EXT-X-DATERANGE:ID="ad-1",CLASS="com.example.ad",START-DATE="2026-11-25T10:00:04.500Z",DURATION=6,'
        f'SCTE35-OUT=0x{hexadecimal},X-COLOUR="red"'
    )
    for at in range(8):
        lines += ["#EXTINF:2,", f"{at}.ts"]
        files[f"{BASE}{at}.ts"] = b"\x47" + bytes(5_000)
    files[f"{BASE}a.m3u8"] = "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode()

    ((position_us, event),) = began(play(files, "a.m3u8"))

    assert (position_us, event.source, event.scheme) == (4_500_000, EventSource.DATE_RANGE, "com.example.ad")
    assert (event.id, event.value, event.duration_us) == ("ad-1", "out", 6 * SECOND)
    assert ("X-COLOUR", "red") in event.attributes
    assert event.scte35 is not None
