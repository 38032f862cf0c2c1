"""Titles that several hosts have: failover, half-loaded bodies, and steering servers that misbehave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cushion_player.testing.fault_script import Rule
from cushion_player.testing.faults import (
    Corrupt,
    Disconnect,
    Fault,
    Hang,
    Html,
    IgnoreRange,
    Instead,
    Redirect,
    Refuse,
    Reset,
    Stall,
    Status,
    Truncate,
)
from cushion_player.testing.live import Clone, Pathway, Steering
from tests.player.faults.scenario import Ends, Fails, Scenario, Seek
from tests.player.faults.vod_scenarios import LONG, SECOND, VOD, by_name, in_both

PATHWAYS = (Pathway("a", "http://one/"), Pathway("b", "http://two/"))
TWO = replace(VOD, pathways=PATHWAYS)
LONG_TWO = replace(LONG, pathways=PATHWAYS)
THREE = replace(TWO, pathways=(*PATHWAYS, Pathway("c", "http://three/")))
HOSTS = ("http://one", "http://two", "http://three")
STEERED = replace(LONG_TWO, steering=Steering(((0, ("a", "b")), (20 * SECOND, ("b", "a"))), ttl_s=10))
HARD = ("http_status", "connection_lost", "fetch_timeout")


def media(host: str, fault: Fault, *, from_s: float = 0.0, until_s: float = 1e5, path: str = "/p*") -> Rule:
    """All media of a host goes wrong."""
    return Rule(
        path, (fault,), repeats=True, host=host, from_us=round(from_s * SECOND), until_us=round(until_s * SECOND)
    )


def _two(name: str, expect: Ends | Fails, *rules: Rule, needs: str = "", asks: tuple[str, ...] = ("two",)) -> Scenario:
    return Scenario(name, TWO, expect, rules, hosts=HOSTS, asks=asks, needs=needs)


def _failover() -> Iterator[Scenario]:
    yield _two("two hosts and nothing goes wrong", Ends(), needs="", asks=("one",))
    for what, fault in by_name(
        {
            "refuses": Refuse(),
            "answers 404": Status(404),
            "answers 403": Status(403),
            "answers 503": Status(503),
            "closes without an answer": Disconnect(),
            "redirects in a circle": Redirect(""),
        }
    ):
        yield _two(f"the first host {what}", Ends(), media("one", fault))
        yield _two(f"the first host {what} once", Ends(), Rule("/p*/5.m4s", (fault,), host="one"), asks=())
    yield _two("the first host hangs", Ends(within_s=36), media("one", Hang()))
    yield _two("the first host stalls in every body", Ends(within_s=36), media("one", Stall(3000)))
    yield _two("the first host truncates every body", Ends(), media("one", Truncate(3000)))
    yield _two("the first host resets every body", Ends(), media("one", Reset(3000)))
    yield _two("one segment is missing on the first host", Ends(), media("one", Status(404), path="/p0/*/6.m4s"))
    yield _two("all hosts refuse", Fails(HARD, ("one", "two")), media("*", Refuse()))
    halves = (media("one", Status(404), path="/p0/a*"), media("two", Status(404), path="/p0/v*"))
    yield _two("one host has no audio, the other no video", Ends(), *halves)
    yield _two("all hosts miss a segment", Fails(HARD, ("two",)), media("*", Status(404), path="/p0/*/6.m4s"))
    yield _two(
        "a body breaks off and the other host has the rest", Ends(), media("one", Truncate(20_000), path="/p0/v*/6.m4s")
    )
    yield _two(
        "a body breaks off and the other host ignores ranges",
        Ends(),
        media("one", Truncate(20_000), path="/p0/v*/6.m4s"),
        media("two", IgnoreRange(), path="/p0/v*/6.m4s"),
    )
    three = Scenario("", THREE, Ends(), hosts=HOSTS)
    yield replace(
        three,
        name="two of three hosts are gone",
        rules=(media("one", Refuse()), media("two", Refuse())),
        asks=("three",),
    )
    long = Scenario("", LONG_TWO, Ends(within_s=125), hosts=HOSTS, max_requests=400)
    yield replace(
        long, name="the first host dies in the middle", rules=(media("one", Refuse(), from_s=40),), asks=("two",)
    )
    yield replace(
        long, name="the first host comes back", rules=(media("one", Refuse(), from_s=10, until_s=30),), asks=("two",)
    )
    yield replace(
        long,
        name="the hosts die in turn",
        rules=(media("one", Refuse(), from_s=20, until_s=60), media("two", Refuse(), from_s=60)),
        asks=("two",),
    )
    yield replace(
        long,
        name="seeking when the first host is gone",
        rules=(media("one", Status(404), from_s=15),),
        acts=(Seek(20, 90),),
        asks=("two",),
    )


def _steering() -> Iterator[Scenario]:
    steered = Scenario("", STEERED, Ends(within_s=180), hosts=HOSTS, asks=("one", "two"), max_requests=400)
    server = "/steering.json"
    yield replace(steered, name="the steering server changes its mind")
    yield replace(
        steered, name="the steering server is 503 at first", rules=(Rule(server, (Status(503), Status(503))),)
    )
    yield replace(
        steered, name="the steering server asks for patience", rules=(Rule(server, (Status(429, retry_after="15"),)),)
    )
    yield replace(steered, name="the steering server hangs once", rules=(Rule(server, (Hang(),)),))
    alone = replace(steered, asks=("one", server))
    for what, fault in by_name(
        {
            "is gone": Status(410),
            "does not exist": Status(404),
            "refuses": Refuse(),
            "hangs": Hang(),
            "answers with a web page": Html(),
            "answers with noise": Instead(b"\xff\xfe{"),
            "answers with another version": Instead(b'{"VERSION":9,"TTL":5,"PATHWAY-PRIORITY":["b"]}'),
            "names nobody": Instead(b'{"VERSION":1,"TTL":5,"PATHWAY-PRIORITY":[]}'),
            "names strangers": Instead(b'{"VERSION":1,"TTL":5,"PATHWAY-PRIORITY":["x","y"]}'),
            "is corrupt": Corrupt(0, 8),
        }
    ):
        yield replace(alone, name=f"the steering server {what}", rules=(Rule(server, (fault,), repeats=True),))
    yield replace(
        steered, name="the steered host is gone", rules=(media("two", Refuse()),), asks=("one", "two"), config=STEERED
    )
    clones = replace(
        STEERED,
        steering=Steering(((0, ("c", "a")),), ttl_s=10, clones=(Clone("a", "c", "three"),), query_before_start=True),
    )
    yield replace(
        steered,
        name="the steering server clones a pathway (hls)",
        config=clones,
        asks=("three",),
        url="http://one/live.m3u8",
    )


def host_scenarios() -> tuple[Scenario, ...]:
    """All of them."""
    made = [*_failover(), *_steering()]
    return tuple(both for scenario in made for both in ((scenario,) if "(hls)" in scenario.name else in_both(scenario)))
