"""Titles kept as one file a rung, of which segments are byte ranges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from cushion_player.testing.answers import Answer
from cushion_player.testing.fault_script import Rule
from cushion_player.testing.faults import Corrupt, Hang, IgnoreRange, Reset, Stall, Status, Truncate, WrongLength
from cushion_player.testing.live import LiveSite
from tests.player.faults.scenario import Ends, Fails, Scenario
from tests.player.faults.vod_scenarios import ASSET, VOD, by_name, once

BASE = "http://one/"
N_SEGMENTS = 15
SEGMENT_S = 2


@cache
def one_file_title() -> dict[str, bytes]:
    """`title.mpd`, `title.m3u8` and what they lead to, by URL."""
    site = LiveSite(VOD)
    files: dict[str, bytes] = {}
    sets: list[str] = []
    variants: list[str] = []
    for track in ASSET.tracks:
        shown: list[str] = []
        for index, rung in enumerate(track.rungs):
            name = f"{track.kind[0]}{index}"
            body, ranges = _joined(site, name)
            files[f"{BASE}{name}.mp4"] = body
            files[f"{BASE}{name}.m3u8"] = _playlist(name, ranges)
            size = f'width="{rung.width_px}" height="{rung.height_px}"' if rung.height_px else ""
            shown.append(
                f'<Representation id="{name}" bandwidth="{rung.bitrate_bps}" codecs="{rung.codecs}" {size}>'
                f"<BaseURL>{name}.mp4</BaseURL>{_segment_list(ranges)}</Representation>"
            )
            if track.kind == "video":
                variants.append(
                    f'#EXT-X-STREAM-INF:BANDWIDTH={rung.bitrate_bps + 140_000},CODECS="{rung.codecs},mp4a.40.2",'
                    f'RESOLUTION={rung.width_px}x{rung.height_px},AUDIO="a"\n{name}.m3u8'
                )
        language = f' lang="{track.language}"' if track.language else ""
        sets.append(f'<AdaptationSet mimeType="{track.kind}/mp4"{language}>{"".join(shown)}</AdaptationSet>')
    files[f"{BASE}title.mpd"] = (
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" profiles="urn:mpeg:dash:profile:full:2011" '
        f'mediaPresentationDuration="PT{N_SEGMENTS * SEGMENT_S}S" minBufferTime="PT2S">'
        f"<Period>{''.join(sets)}</Period></MPD>"
    ).encode()
    audio = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,URI="a0.m3u8"'
    files[f"{BASE}title.m3u8"] = "\n".join(["#EXTM3U", "#EXT-X-VERSION:7", audio, *variants, ""]).encode()
    return files


def _joined(site: LiveSite, name: str) -> tuple[bytes, list[tuple[int, int]]]:
    """A rung as one file; (first byte, size) of its initialisation and of each segment."""
    body, ranges = b"", []
    for path in (f"/p0/{name}/init.mp4", *(f"/p0/{name}/{number + 1}.m4s" for number in range(N_SEGMENTS))):
        part = site.response(path, "", 0)
        assert isinstance(part, Answer)
        ranges.append((len(body), len(part.body)))
        body += part.body
    return body, ranges


def _segment_list(ranges: list[tuple[int, int]]) -> str:
    (init_at, init_size), *segments = ranges
    urls = "".join(f'<SegmentURL mediaRange="{at}-{at + size - 1}"/>' for at, size in segments)
    init = f'<Initialization range="{init_at}-{init_at + init_size - 1}"/>'
    return f'<SegmentList timescale="1" duration="{SEGMENT_S}">{init}{urls}</SegmentList>'


def _playlist(name: str, ranges: list[tuple[int, int]]) -> bytes:
    (init_at, init_size), *segments = ranges
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{SEGMENT_S}", "#EXT-X-PLAYLIST-TYPE:VOD"]
    lines.append(f'#EXT-X-MAP:URI="{name}.mp4",BYTERANGE="{init_size}@{init_at}"')
    for at, size in segments:
        lines += [f"#EXTINF:{SEGMENT_S},", f"#EXT-X-BYTERANGE:{size}@{at}", f"{name}.mp4"]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode()


def _ranges() -> Iterator[Scenario]:
    one = Scenario("", VOD, Ends(), url=f"{BASE}title.mpd", content=one_file_title())
    files = "/??.mp4"
    yield replace(one, name="ranges and nothing goes wrong")
    yield replace(one, name="ranges are ignored", rules=(Rule(files, (IgnoreRange(),), repeats=True),))
    yield replace(one, name="ranges are ignored now and then", rules=(Rule(files, (None, IgnoreRange()) * 20),))
    yield replace(one, name="a range is 503 once", rules=once(files, None, None, None, Status(503)))
    yield replace(one, name="a range is 416 once", rules=once("/v*.mp4", None, None, None, Status(416)))
    for what, fault in by_name({"truncated": Truncate(900), "reset": Reset(900), "longer than sent": WrongLength(+9)}):
        yield replace(one, name=f"every third range is {what}", rules=(Rule(files, (None, None, fault) * 10),))
    late = replace(one, expect=Ends(rebuffers=(0, 1), within_s=37))
    yield replace(late, name="a range stalls once", rules=once(files, *[None] * 6, Stall(100)))
    yield replace(late, name="a range hangs once", rules=once(files, *[None] * 6, Hang()))
    yield replace(
        one,
        name="a range is corrupt once",
        rules=once("/v*.mp4", *[None] * 8, Corrupt(0, 64)),
        expect=Ends(damaged=(0, 1)),
    )
    yield replace(one, name="the file of one rung is missing", rules=(Rule("/v2.mp4", (Status(404),), repeats=True),))
    yield replace(
        one,
        name="the file of the audio is taken away",
        rules=(Rule("/a0.mp4", (Status(404),), repeats=True, skip=5),),
        expect=Fails(("http_status",), ("404",)),
    )


def range_scenarios() -> tuple[Scenario, ...]:
    """All of them, in each format."""
    return tuple(
        replace(scenario, name=f"{scenario.name} ({name})", url=f"{BASE}title.{suffix}")
        for scenario in _ranges()
        for name, suffix in (("dash", "mpd"), ("hls", "m3u8"))
    )
