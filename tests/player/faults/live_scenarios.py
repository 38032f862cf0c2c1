"""Live services: what happens at the edge, at the end, between programmes, and to clocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cushion_player.testing.fault_script import Rule
from cushion_player.testing.faults import (
    Disconnect,
    Drip,
    Fault,
    Frozen,
    Hang,
    Html,
    IgnoreRange,
    Instead,
    Refuse,
    Reset,
    Rewrite,
    Shifted,
    Shorten,
    Stall,
    Status,
    Truncate,
)
from cushion_player.testing.live import Breaks, DashOptions, HlsOptions, LiveConfig, Pathway, Programme, made_up_asset
from tests.player.faults.scenario import ANY, Ends, Fails, GoesOn, Pause, Scenario, Seek
from tests.player.faults.vod_scenarios import OTHER, by_name, in_both

SECOND = 1_000_000
BEGAN_S = 1_700_000_000
ASSET = made_up_asset(bitrates_bps=(100_000, 200_000, 400_000))
CHUNKED = made_up_asset(bitrates_bps=(100_000, 200_000, 400_000), n_chunks=4)
LIVE = LiveConfig((Programme(ASSET),), start_us=BEGAN_S * SECOND, window_us=60 * SECOND)
LOW = replace(
    LIVE,
    programmes=(Programme(CHUNKED),),
    is_low_latency=True,
    dash=DashOptions(latency_ms=(3000, 2000, 6000), rates=(0.95, 1.05)),
    hls=HlsOptions(skip_until_s=12),
)
ADS = replace(LIVE, programmes=(Programme(ASSET, 10), Programme(OTHER, 5)), repeats=True)
JOINED_S = 100.0
WATCHED_S = 60.0
MANIFESTS = "/*.m*"
STALE = ("manifest", "stale", "fetch_timeout", "playback", "http_status")

ENOUGH = GoesOn(WATCHED_S - 12)
WITH_STALL = GoesOn(WATCHED_S - 25, rebuffers=(0, 1))
SHORT_STALL = GoesOn(WATCHED_S - 8, rebuffers=(0, 1))


def _live(name: str, expect: GoesOn | Ends | Fails, *rules: Rule, config: LiveConfig = LIVE) -> Scenario:
    """Joined 100 s after the beginning, watched for a minute. Times of rules count from the joining."""
    return Scenario(
        name,
        config,
        expect,
        rules,
        from_s=BEGAN_S + JOINED_S,
        leave_s=WATCHED_S if isinstance(expect, GoesOn) else None,
        needs="live",
        max_requests=900 if config.is_low_latency else 500,  # each part and each held reload is one
    )


def during(from_s: float, until_s: float, fault: Fault, path: str = "*", kind: str = "") -> Rule:
    """Everything that matches goes wrong for a while."""
    return Rule(
        path, (fault,), repeats=True, kind=kind, from_us=round(from_s * SECOND), until_us=round(until_s * SECOND)
    )


def _both() -> Iterator[Scenario]:
    yield _live("live and nothing goes wrong", ENOUGH)
    yield _live("live that ends", Ends(within_s=90), config=replace(LIVE, end_us=140 * SECOND))
    yield replace(_live("live that has ended", Ends(within_s=120), config=replace(LIVE, end_us=70 * SECOND)), needs="")
    yield _live("live of which everything stays", ENOUGH, config=replace(LIVE, window_us=None))
    yield _live("live with a short window", ENOUGH, config=replace(LIVE, window_us=12 * SECOND))
    yield _live("live with programmes of different encodings", ENOUGH, config=ADS)
    for what, fault in by_name(
        {
            "is 503": Status(503),
            "is 404": Status(404),
            "hangs": Hang(),
            "stalls": Stall(50),
            "is refused": Refuse(),
            "is not answered": Disconnect(),
            "is a web page": Html(),
            "is empty": Instead(b""),
            "ends too early": Truncate(200),
            "is cut off": Shorten(400),
        }
    ):
        rule = Rule(MANIFESTS, (fault,), kind="manifest", from_us=10 * SECOND)
        yield _live(f"a refreshed manifest {what} once", SHORT_STALL, rule)
    for seconds in (8, 15):
        yield _live(
            f"manifests are gone for {seconds} s", WITH_STALL, during(10, 10 + seconds, Status(503), kind="manifest")
        )
    yield _live("manifests are gone for ever", Fails(STALE, within_s=90), during(10, 1e6, Status(404), kind="manifest"))
    drip = Rule(MANIFESTS, (Drip(1, 2.0),), kind="manifest", from_us=10 * SECOND, is_per_path=False)
    yield replace(_live("a refreshed manifest drips", GoesOn(40, rebuffers=ANY, skipped=ANY), drip), leave_s=90.0)
    yield _live("manifests drip for ever", Fails(STALE, within_s=240), during(10, 1e6, Drip(1, 2.0), kind="manifest"))
    yield _live(
        "a cache serves old manifests for a while",
        WITH_STALL,
        during(10, 25, Shifted(-15, has_date=False), kind="manifest"),
    )
    dead = Frozen(round((BEGAN_S + JOINED_S + 10) * SECOND))
    yield _live("the encoder dies", Fails(STALE, within_s=90), during(0, 1e6, dead))
    yield _live("the encoder dies and comes back", GoesOn(45, rebuffers=(1, 1)), during(0, 25, dead))
    for seconds in (30, -30, 3600):
        yield _live(f"the server's clock is {seconds:+} s off", ENOUGH, during(0, 1e6, Shifted(seconds)))
    late = Rule("*.m4s", (Status(404), Status(404)), from_us=10 * SECOND, is_per_path=False)
    yield _live("the edge segments are late", ENOUGH, late)
    missing = during(0, 1e6, Status(404), "/p0/*/56.m4s")
    with_gap = GoesOn(WATCHED_S - 25, rebuffers=(0, 1), skipped=(1, 2))
    yield _live("a segment is missing for ever", with_gap, missing)
    yield _live("segments hang for a while", GoesOn(40, rebuffers=(1, 1)), during(10, 25, Hang(), "*.m4s"))
    yield _live("the host is gone for five seconds", SHORT_STALL, during(20, 25, Refuse()))
    yield _live("the host is gone for ever", Fails(("connection_lost", *STALE), within_s=90), during(20, 1e6, Refuse()))
    yield replace(_live("paused within the window", GoesOn(30)), acts=(Pause(15, 20),))
    yield replace(
        _live("paused until the window has passed", GoesOn(40)),
        acts=(Pause(10, 90),),
        leave_s=130,
    )
    yield replace(_live("sought back and to the edge", GoesOn(10)), acts=(Seek(10, 60), Seek(20, 115)))
    two = replace(LIVE, pathways=(Pathway("a", "http://one/"), Pathway("b", "http://two/")))
    dying = Rule(host="one", faults=(Refuse(),), repeats=True, from_us=20 * SECOND)
    yield replace(
        _live("the first of two hosts dies", WITH_STALL, dying, config=two),
        hosts=("http://one", "http://two"),
        asks=("two",),
    )


def _dash() -> Iterator[Scenario]:
    def dash(
        name: str, expect: GoesOn | Ends | Fails, *rules: Rule, config: LiveConfig = LIVE, **options: object
    ) -> Scenario:
        changed = replace(config, dash=replace(config.dash, **options))  # type: ignore[arg-type] # fields of DashOptions
        return _live(f"{name} (dash)", expect, *rules, config=changed)

    for addressing in ("timeline-number", "timeline-time"):
        yield dash(f"live by {addressing}", ENOUGH, addressing=addressing)
        yield dash(f"programmes by {addressing}", ENOUGH, config=ADS, addressing=addressing)
        yield dash(f"patches by {addressing}", ENOUGH, addressing=addressing, has_patch=True)
    for what, fault in by_name(
        {
            "410": Status(410),
            "503": Status(503),
            "a web page": Html(),
            "noise": Instead(b"<Patch/>"),
        }
    ):
        yield dash(
            f"patches are {what}",
            ENOUGH,
            Rule("/patch.mpp", (fault,), repeats=True),
            addressing="timeline-time",
            has_patch=True,
        )
    yield dash(
        "an end that is only a duration",
        Ends(within_s=90),
        config=replace(LIVE, end_us=140 * SECOND),
        ends_as="duration",
    )
    yield dash("the MPD is never refreshed", ENOUGH, minimum_update_s=None)
    for what, fault in by_name(
        {"404": Status(404), "a web page": Html(), "hanging": Hang(), "noise": Instead(b"soon")}
    ):
        yield dash(f"the time server is {what}", ENOUGH, Rule(faults=(fault,), repeats=True, kind="time"))
    for method in ("direct", "http-head", "http-iso"):
        yield dash(f"the time by {method}", ENOUGH, utc_timing=(method,))
    yield dash("no time server and a clock that is off", ENOUGH, during(0, 1e6, Shifted(20)), utc_timing=())
    yield dash("a period is announced before it begins", ENOUGH, config=ADS, lead_s=10.0)
    yield dash(
        "older MPDs come between",
        ENOUGH,
        Rule("/live.mpd", (None, Shifted(-6, has_date=False)) * 20),
        addressing="timeline-time",
    )
    yield dash(
        "events in the segments",
        ENOUGH,
        config=replace(LIVE, breaks=Breaks(110 * SECOND, 20 * SECOND, 5 * SECOND)),
        has_inband_events=True,
    )
    low = LOW.dash
    yield _live("low latency (dash)", ENOUGH, config=LOW)
    yield _live(
        "low latency by timeline (dash)", ENOUGH, config=replace(LOW, dash=replace(low, addressing="timeline-time"))
    )
    yield _live(
        "low latency with reference times (dash)",
        ENOUGH,
        config=replace(LOW, dash=replace(low, has_reference_time=True)),
    )
    yield _live("low latency and a stalled chunk (dash)", WITH_STALL, Rule("/p0/v*/60.m4s", (Stall(9000),)), config=LOW)
    yield _live(
        "low latency and a truncated chunk (dash)", WITH_STALL, Rule("/p0/v*/60.m4s", (Truncate(9000),)), config=LOW
    )
    near = replace(LOW, dash=replace(low, latency_ms=(1500, 1000, 6000)))
    every: dict[str, Fault] = {
        "silent": Stall(30_000),
        "closed": Truncate(30_000),
        "reset": Reset(9000),
        "refused": Status(503),
    }
    for what, fault in by_name(every):
        rule = Rule("/p0/*/60.m4s", (fault,))
        one_each = GoesOn(WATCHED_S - 8, rebuffers=(0, 2))
        yield _live(f"nearer than a segment and a body is {what} (dash)", one_each, rule, config=near)
    for seconds in (-0.3, 0.3):
        wrong = during(0, 1e6, Shifted(seconds), "*.m4s")
        yield _live(f"nearer than a segment and segments are {seconds:+} s off (dash)", WITH_STALL, wrong, config=near)
    gone = Rule("/p0/v?/60.m4s", (Truncate(30_000), *(Status(404),) * 9), is_per_path=False)
    yield _live("the rest of a segment is gone (dash)", WITH_STALL, gone, config=near)
    other = Rule("/p0/v*/60.m4s", (Truncate(30_000), IgnoreRange()))
    yield _live("the rest of a segment comes with all of it (dash)", WITH_STALL, other, config=near)


def _hls() -> Iterator[Scenario]:
    def hls(name: str, expect: GoesOn | Ends | Fails, *rules: Rule, config: LiveConfig = LIVE) -> Scenario:
        return replace(_live(f"{name} (hls)", expect, *rules, config=config), url="http://one/live.m3u8")

    sequence = Rewrite(r"MEDIA-SEQUENCE:\d+", "MEDIA-SEQUENCE:3")
    shrunk = Rewrite(r"(?s)(#EXTINF[^#]*){3}\Z", "")
    media = "/??.m3u8"
    yield hls("the media sequence goes back once", WITH_STALL, Rule(media, (None, None, sequence)))
    yield hls("playlists lose their last segments once", WITH_STALL, Rule(media, (None, None, shrunk)))
    yield hls("playlists without dates", ENOUGH, config=replace(LIVE, hls=HlsOptions(has_program_time=False)))
    yield hls("an event playlist", ENOUGH, config=replace(LIVE, window_us=None, hls=HlsOptions(playlist_type="EVENT")))
    yield hls("one rung's playlist dies", ENOUGH, Rule("/v2.m3u8", (Status(404),), repeats=True, from_us=15 * SECOND))
    yield hls(
        "the audio playlist stops",
        GoesOn(40, rebuffers=(1, 1)),
        during(20, 30, Frozen((BEGAN_S + 110) * SECOND), "/a0.m3u8"),
    )
    low = LOW.hls
    yield hls("low latency", ENOUGH, config=LOW)
    yield hls("low latency without held reloads", ENOUGH, config=replace(LOW, hls=replace(low, can_block=False)))
    yield hls("low latency without reports", ENOUGH, config=replace(LOW, hls=replace(low, has_reports=False)))
    yield hls("low latency without deltas", ENOUGH, config=replace(LOW, hls=replace(low, skip_until_s=None)))
    yield hls("a part is 404", WITH_STALL, Rule("/p0/*/60.2.m4s", (Status(404),), repeats=True), config=LOW)
    yield hls("a hinted part hangs", WITH_STALL, Rule("/p0/*/60.2.m4s", (Hang(),)), config=LOW)
    yield hls("a part is truncated", WITH_STALL, Rule("/p0/*/60.1.m4s", (Truncate(700),)), config=LOW)
    yield hls("parts are gone for good", WITH_STALL, Rule("/p0/*/60.?.m4s", (Status(404),), repeats=True), config=LOW)
    yield hls("the end of a part is reset", WITH_STALL, Rule("/p0/*/60.1.m4s", (Reset(700),)), config=LOW)
    yield hls("one held reload is never answered", WITH_STALL, Rule("/v?.m3u8", (None,) * 40 + (Hang(),)), config=LOW)
    yield hls("held reloads hang", GoesOn(20, rebuffers=ANY), during(15, 20, Hang(), media), config=LOW)
    yield hls("held reloads are 503", WITH_STALL, during(15, 18, Status(503), media), config=LOW)
    yield hls(
        "low latency and another programme",
        ENOUGH,
        config=replace(
            ADS,
            is_low_latency=True,
            programmes=(
                Programme(CHUNKED, 10),
                Programme(made_up_asset(bitrates_bps=(100_000, 200_000), n_chunks=4), 5),
            ),
        ),
    )
    assets = ("http://one/ad.m3u8",)
    breaks = Breaks(120 * SECOND, 60 * SECOND, 10 * SECOND, asset_urls=assets)
    advert = replace(LIVE, breaks=breaks)
    yield hls("an interstitial whose asset is 404", ENOUGH, config=advert)
    yield hls("an interstitial whose asset hangs", WITH_STALL, Rule("/ad.m3u8", (Hang(),), repeats=True), config=advert)
    listed = replace(LIVE, breaks=replace(breaks, is_list=True))
    for what, fault in by_name({"404": Status(404), "noise": Instead(b"[]"), "a web page": Html(), "hanging": Hang()}):
        yield hls(f"an asset list that is {what}", WITH_STALL, Rule("/assets/*", (fault,), repeats=True), config=listed)


def live_scenarios() -> tuple[Scenario, ...]:
    """All of them."""
    return (*(both for scenario in _both() for both in in_both(scenario)), *_dash(), *_hls())
