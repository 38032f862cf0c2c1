"""On-demand titles from one host: what a single server can do to a viewer. Every one in DASH and in HLS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cushion_player.testing.fault_script import Rule
from cushion_player.testing.faults import (
    Corrupt,
    Disconnect,
    Drip,
    Fault,
    Hang,
    Html,
    Instead,
    Redirect,
    Refuse,
    Reset,
    Rewrite,
    Shifted,
    Shorten,
    Stall,
    Status,
    Truncate,
    WrongLength,
    WrongType,
)
from cushion_player.testing.live import LiveConfig, Programme, made_up_asset
from tests.player.faults.scenario import ANY, Ends, Fails, Pause, Refused, Scenario, Seek

SECOND = 1_000_000
ASSET = made_up_asset(bitrates_bps=(100_000, 200_000, 400_000))
OTHER = made_up_asset(bitrates_bps=(150_000, 300_000, 500_000), timescale=48_000)
VOD = LiveConfig((Programme(ASSET),), is_vod=True, end_us=30 * SECOND)
LONG = replace(VOD, end_us=120 * SECOND)
PERIODS = LiveConfig((Programme(ASSET, 5), Programme(OTHER, 5), Programme(ASSET, 5)), is_vod=True, end_us=30 * SECOND)

VIDEO = "/p*/v*/5.m4s"
AUDIO = "/p*/a0/5.m4s"
ALL_SEGMENTS = "*.m4s"
INITS = "*/init.mp4"


def once(path: str, *faults: Fault | None) -> tuple[Rule, ...]:
    """The first requests for any of these paths get these."""
    return (Rule(path, faults, is_per_path=False),)


def always(path: str, fault: Fault) -> tuple[Rule, ...]:
    return (Rule(path, (fault,), repeats=True),)


def by_name(faults: Mapping[str, Fault]) -> Iterable[tuple[str, Fault]]:
    """Each fault with what it is called in the scenario's name."""
    return faults.items()


def in_both(scenario: Scenario) -> Iterator[Scenario]:
    """The scenario in each format; names end with it."""
    yield replace(scenario, name=f"{scenario.name} (dash)")
    yield replace(scenario, name=f"{scenario.name} (hls)", url=scenario.url.replace("live.mpd", "live.m3u8"))


def _vod(name: str, expect: Ends | Fails | Refused, *rules: Rule, **more: object) -> Scenario:
    return replace(Scenario(name, VOD, expect, rules), **more)  # type: ignore[arg-type] # fields of Scenario, by name


STATUS = ("http_status",)
LOST = ("connection_lost",)
TIMEOUT = ("fetch_timeout",)
MANIFEST = ("manifest", "manifest_syntax", "manifest_unsupported")

# One request goes wrong and a second try helps: nobody must notice.
HARMLESS: dict[str, Fault] = {
    "500": Status(500),
    "503": Status(503),
    "503 with Retry-After": Status(503, retry_after="2"),
    "429": Status(429, retry_after="1"),
    "408": Status(408),
    "hangs": Hang(),
    "answers late": Hang(3),
    "stalls in its body": Stall(5000),
    "pauses in its body": Stall(5000, 4),
    "is truncated": Truncate(5000),
    "is reset": Reset(5000),
    "is never answered": Disconnect(),
    "is refused": Refuse(),
    "is longer than sent": WrongLength(+100),
    "is redirected": Redirect("http://two/p0/v0/5.m4s"),
    "is of the wrong type": WrongType("text/html"),
}

# The request goes wrong again and again: a typed end, in a time the timeouts bound.
LASTING: dict[str, tuple[Fault, tuple[str, ...]]] = {
    "503": (Status(503), STATUS),
    "hangs": (Hang(), TIMEOUT),
    "stalls in its body": (Stall(0), TIMEOUT),
    "is truncated": (Truncate(0), LOST),
    "is reset": (Reset(0), LOST),
    "is refused": (Refuse(), LOST),
    "is never answered": (Disconnect(), LOST),
    "is redirected in a circle": (Redirect("/circle.m4s"), ("fetch",)),
}


def _harmless() -> Iterator[Scenario]:
    for what, fault in HARMLESS.items():
        hosts = ("http://one", "http://two") if isinstance(fault, Redirect) else ("http://one",)
        yield _vod(f"a video segment {what} once", Ends(within_s=33), *once(VIDEO, fault), hosts=hosts)
    for what in ("503", "hangs", "is truncated"):
        yield _vod(f"an audio segment {what} once", Ends(within_s=33), *once(AUDIO, HARMLESS[what]))
        yield _vod(f"an initialisation segment {what} once", Ends(), *once(INITS, HARMLESS[what]))
    yield _vod("every request fails once", Ends(within_s=33), Rule("/p*", (Status(503),)))
    yield _vod("every body is truncated once", Ends(within_s=33), Rule(ALL_SEGMENTS, (Truncate(700),)))
    yield _vod("every answer is two seconds late", Ends(rebuffers=ANY, within_s=34), *always("/p*", Hang(2)))


def _lasting() -> Iterator[Scenario]:
    for what, (fault, codes) in LASTING.items():
        rules = always(VIDEO, fault)
        if isinstance(fault, Redirect):
            rules += always("/circle.m4s", fault)
        yield _vod(f"a video segment {what} for ever", Fails(codes), *rules)
    for what, broken in by_name({"truncated": Truncate(2000), "reset": Reset(2000)}):  # each time the rest is asked for
        yield _vod(f"a video segment is {what} piece by piece", Ends(rebuffers=(0, 1)), *always(VIDEO, broken))
    for what in ("503", "hangs"):
        fault, codes = LASTING[what]
        yield _vod(f"an audio segment {what} for ever", Fails(codes), *always(AUDIO, fault))
        yield _vod(f"the initialisation segments {what} for ever", Fails(codes), *always(INITS, fault))
    for status in (401, 403, 404, 410):
        yield _vod(
            f"a video segment is {status} at every rung", Fails(STATUS, (str(status),)), *always(VIDEO, Status(status))
        )
        yield _vod(f"an audio segment is {status}", Fails(STATUS, (str(status),)), *always(AUDIO, Status(status)))
    yield _vod("the initialisation segments are 404", Fails(STATUS, ("404",)), *always(INITS, Status(404)))
    yield _vod(
        "a token expires",
        Fails(STATUS, ("403",)),
        Rule(ALL_SEGMENTS, (Status(403),), repeats=True, skip=12, is_per_path=False),
    )
    yield _vod("one rung's segment is 404", Ends(), *always("/p0/v2/5.m4s", Status(404)))
    yield _vod("one rung's segments are all 404", Ends(), *always("/p0/v2/*", Status(404)))
    drip = Drip(20, 1.0)
    yield _vod("a video segment drips once", Ends(within_s=33), *once(VIDEO, drip))
    yield _vod("everything drips", Fails(("fetch_timeout",)), *always(ALL_SEGMENTS, drip))


def _damaged() -> Iterator[Scenario]:
    one, few = (1, 1), (1, 3)
    yield _vod("a video segment is corrupt in its boxes", Ends(damaged=one), *always(VIDEO, Corrupt(0, 64)))
    yield _vod("an audio segment is corrupt in its boxes", Ends(damaged=one), *always(AUDIO, Corrupt(0, 64)))
    yield _vod("a video segment is corrupt in its media", Ends(), *always(VIDEO, Corrupt(3000, 64)))
    yield _vod("a video segment ends early", Ends(damaged=few), *always(VIDEO, Shorten(60)))
    yield _vod("a video segment is empty", Ends(damaged=few), *always(VIDEO, Shorten(0)))
    yield _vod("a video segment is a web page", Ends(damaged=few), *always(VIDEO, Html()))
    yield _vod("an announced length is too short", Ends(damaged=(0, 1)), *once(VIDEO, WrongLength(-10_000)))
    for what, fault in by_name(
        {
            "a web page": Html(),
            "empty": Instead(b""),
            "cut short": Shorten(300),
            "noise": Corrupt(8, 200),
            "404": Status(404),
            "503": Status(503),
        }
    ):
        yield _vod(f"one rung's initialisation is {what}", Ends(), *always("/p0/v2/init.mp4", fault))
    yield _vod("an initialisation segment is noise once", Ends(), *once("/p0/v*/init.mp4", Corrupt(8, 200)))
    yield _vod("one rung's initialisation hangs", Ends(), *always("/p0/v2/init.mp4", Hang()))
    yield _vod("one rung's initialisation hangs from the start", Ends(), *always("/p0/v0/init.mp4", Hang()))
    yield _vod("the lowest rung's initialisation is noise", Ends(), *always("/p0/v0/init.mp4", Corrupt(8, 200)))
    yield _vod("the audio's initialisation is noise", Fails(("decode",)), *always("/p0/a0/init.mp4", Corrupt(8, 200)))
    yield _vod(
        "the video's initialisations are web pages",
        Fails(("decode",), ("init of video",)),
        *always("/p0/v*/init.mp4", Html()),
    )


def _manifests() -> Iterator[Scenario]:
    path = "/live.m*"
    for status in (403, 404, 410):
        yield _vod(f"the manifest is {status}", Refused(STATUS, (str(status),)), *always(path, Status(status)))
    yield _vod("the manifest is 503 for ever", Refused(STATUS, ("503",)), *always(path, Status(503)))
    yield _vod("the manifest is 503 once", Ends(), *once(path, Status(503)))
    yield _vod("the manifest hangs", Refused(TIMEOUT), *always(path, Hang()))
    yield _vod("the manifest hangs once", Ends(), *once(path, Hang()))
    yield _vod("the manifest stalls", Refused(TIMEOUT), *always(path, Stall(100)))
    yield _vod("the manifest drips", Refused(TIMEOUT), *always(path, Drip(1, 1.0)))
    yield _vod("the manifest's host refuses", Refused(LOST), *always(path, Refuse()))
    yield _vod("the manifest is a web page", Refused(MANIFEST), *always(path, Html()))
    yield _vod("the manifest is empty", Refused(MANIFEST), *always(path, Instead(b"")))
    yield _vod("the manifest is noise", Refused(MANIFEST), *always(path, Instead(bytes(range(256)) * 8)))
    yield _vod("the manifest is redirected in a circle", Refused(("fetch",)), *always(path, Redirect("")))
    yield _vod(
        "the manifest is redirected to another host",
        Ends(),
        *always("http://one/live.mpd", Redirect("http://two/live.mpd")),
        *always("http://one/live.m3u8", Redirect("http://two/live.m3u8")),
        Rule(faults=(Refuse(),), repeats=True, host="one", kind="segment"),
        hosts=("http://one", "http://two"),
        asks=("two",),
    )
    yield _vod("the manifest is of the wrong type", Ends(), *always(path, WrongType("text/plain")))
    yield _vod("the server's clock is half an hour off", Ends(), *always("*", Shifted(1800)))


def _manifests_of_one_format() -> Iterator[Scenario]:
    def hls(name: str, expect: Ends | Refused, *rules: Rule) -> Scenario:
        return replace(Scenario(f"{name} (hls)", VOD, expect, rules), url="http://one/live.m3u8")

    yield Scenario("the MPD ends in mid-element (dash)", VOD, Refused(MANIFEST), always("/live.mpd", Shorten(600)))
    yield Scenario(
        "the MPD forgot its periods (dash)",
        VOD,
        Refused(MANIFEST),
        always("/live.mpd", Rewrite("(?s)<Period.*</Period>", "")),
    )
    yield hls("the multivariant playlist ends in mid-line", Ends(), *always("/live.m3u8", Shorten(420)))
    yield hls("one rung's playlist is 404", Ends(), *always("/v1.m3u8", Status(404)))
    yield hls("one rung's playlist is a web page", Ends(), *always("/v1.m3u8", Html()))
    yield hls("the video playlists are 404", Refused(("fetch", "http_status")), *always("/v*.m3u8", Status(404)))
    yield hls("the audio playlist is 404", Ends(), *always("/a0.m3u8", Status(404)))
    yield hls("the media playlists hang", Refused(("fetch", "fetch_timeout")), *always("/v*.m3u8", Hang()))
    yield hls("the media playlists have lost their end", Ends(), *always("/?0.m3u8", Rewrite("#EXT-X-ENDLIST\n", "")))


def _longer() -> Iterator[Scenario]:
    def outage(from_s: float, until_s: float, fault: Fault) -> Rule:
        return Rule(faults=(fault,), repeats=True, from_us=round(from_s * 1e6), until_us=round(until_s * 1e6))

    long = Scenario("", LONG, Ends(within_s=145), max_requests=400)
    yield replace(long, name="the host is gone for a second", rules=(outage(40, 41, Refuse()),))
    yield replace(
        long,
        name="the host is gone for ten seconds while the buffer lasts",
        rules=(outage(40, 50, Refuse()),),
    )
    yield replace(
        long,
        name="the host answers 503 for ten seconds while the buffer lasts",
        rules=(outage(40, 50, Status(503)),),
    )
    yield replace(
        long, name="the host dies in the middle", rules=(outage(40, 1e4, Refuse()),), expect=Fails(LOST, within_s=120)
    )
    yield replace(
        long,
        name="the host hangs from the middle on",
        rules=(outage(40, 1e4, Hang()),),
        expect=Fails(TIMEOUT, within_s=150),
    )
    yield replace(
        long, name="seeking past a missing segment", rules=always("/p0/*/30.m4s", Hang()), acts=(Seek(10, 80),)
    )
    yield replace(
        long,
        name="seeking into a host that is gone",
        rules=(outage(19, 1e4, Refuse()),),
        acts=(Seek(20, 90),),
        expect=Fails(LOST),
    )
    yield replace(
        long, name="pausing while the host is away", rules=(outage(40, 41, Status(503)),), acts=(Pause(40, 20),)
    )
    yield replace(
        long,
        name="a slow link and a failing server",
        rules=(Rule("/p0/v*/?.m4s", (Status(503),)),),
        link_bps=400_000,
        expect=Ends(rebuffers=(0, 3), within_s=140),
    )


def _periods() -> Iterator[Scenario]:
    periods = Scenario("", PERIODS, Ends())
    yield replace(periods, name="three periods of different encodings")
    yield replace(
        periods, name="the second period's initialisation is 503 once", rules=once("/p1/*/init.mp4", Status(503))
    )
    yield replace(
        periods,
        name="the second period's initialisation is 404",
        rules=always("/p1/*/init.mp4", Status(404)),
        expect=Fails(STATUS),
    )
    yield replace(periods, name="the last segment of a period is late", rules=always("/p0/*/5.m4s", Hang(4)))
    yield replace(periods, name="the first segment of a period is truncated", rules=once("/p1/*/1.m4s", Truncate(500)))
    yield replace(periods, name="seeking across periods", acts=(Seek(3, 25), Seek(5, 12), Seek(7, 1)))


def vod_scenarios() -> tuple[Scenario, ...]:
    """All of them."""
    made = [_vod("nothing goes wrong", Ends(within_s=32)), *_harmless(), *_lasting(), *_damaged(), *_manifests()]
    made += [*_longer(), *_periods()]
    return (*(both for scenario in made for both in in_both(scenario)), *_manifests_of_one_format())
