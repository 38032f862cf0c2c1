"""Manifests that may be had at several addresses: when loading, and while a programme goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cushion_player.testing.fault_script import Rule
from cushion_player.testing.faults import Fault, Hang, Html, Refuse, Status
from cushion_player.testing.live import Pathway
from tests.player.faults.live_scenarios import BEGAN_S, JOINED_S, LIVE, STALE, WATCHED_S, WITH_STALL
from tests.player.faults.scenario import Ends, Fails, Refused, Scenario
from tests.player.faults.vod_scenarios import SECOND, VOD, by_name, in_both

HOSTS = ("http://one", "http://two")
BOTH_HAVE_IT = (Pathway("a", "http://one/"), Pathway("b", "http://two/"))


def _manifests(host: str, fault: Fault, *, from_s: float = 0.0) -> Rule:
    return Rule("/*.m*", (fault,), repeats=True, host=host, kind="manifest", from_us=round(from_s * SECOND))


def _named(scenario: Scenario) -> Iterator[Scenario]:
    """In both formats, the other address being on the other host."""
    for made in in_both(scenario):
        yield replace(made, also=(made.url.replace("one", "two"),))


def _loading() -> Iterator[Scenario]:
    vod = Scenario("", replace(VOD, pathways=BOTH_HAVE_IT), Ends(), hosts=HOSTS)
    for what, fault in by_name(
        {"refuses": Refuse(), "is 404": Status(404), "is 503": Status(503), "hangs": Hang(), "is a web page": Html()}
    ):
        yield from _named(
            replace(vod, name=f"the first address of the manifest {what}", rules=(_manifests("one", fault),))
        )
    yield from _named(
        replace(
            vod,
            name="both addresses of the manifest are gone",
            expect=Refused(("http_status", "connection_lost"), ("http://one/live.m", "http://two/live.m", "3 times")),
            rules=(_manifests("one", Refuse()), _manifests("two", Status(404))),
            max_requests=4,
        )
    )
    yield replace(
        vod,
        name="the first host of the media playlists is gone at the start (hls)",
        url="http://three/live.m3u8",
        hosts=(*HOSTS, "http://three"),
        rules=(Rule("*", (Refuse(),), repeats=True, host="one"),),
        asks=("two",),
    )


def _going_on() -> Iterator[Scenario]:
    live = Scenario(
        "",
        replace(LIVE, pathways=BOTH_HAVE_IT),
        WITH_STALL,
        hosts=HOSTS,
        from_s=BEGAN_S + JOINED_S,
        leave_s=WATCHED_S,
        max_requests=500,
    )
    yield from _named(
        replace(
            live, name="a live manifest goes on at its other address", rules=(_manifests("one", Refuse(), from_s=15),)
        )
    )
    yield from _named(
        replace(
            live,
            name="a live manifest is gone from both addresses",
            expect=Fails((*STALE, "connection_lost"), ("one",), within_s=240),
            rules=(_manifests("*", Refuse(), from_s=15),),
            leave_s=None,
        )
    )


def manifest_scenarios() -> tuple[Scenario, ...]:
    """All of them."""
    return (*_loading(), *_going_on())
