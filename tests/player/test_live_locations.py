"""Where a live MPD is read again: at its locations, in the steering server's order, and elsewhere when one is gone."""

from __future__ import annotations

from urllib.parse import urlsplit

from cushion_player.notices import PlaybackFailed
from cushion_player.player import Player
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.fault_script import Rule
from cushion_player.testing.faults import Fault, Hang, Refuse, Rewrite, Status
from cushion_player.testing.live import LiveConfig, LiveSite, Pathway, Programme, Steering, made_up_asset
from cushion_player.testing.reading_output import ReadingOutput
from cushion_player.testing.transport import FakeTransport

SECOND = 1_000_000
HOSTS = ("one", "two", "three")
LOCATED = Rewrite(
    r"<BaseURL",
    '<Location serviceLocation="a">http://one/live.mpd</Location>'
    '<Location serviceLocation="b">http://two/live.mpd</Location><BaseURL',
    1,
)
PATHWAYS = (Pathway("a", "http://one/"), Pathway("b", "http://two/"))
CONFIG = LiveConfig((Programme(made_up_asset(bitrates_bps=(100_000,))),), window_us=60 * SECOND, pathways=PATHWAYS)


def watch(config: LiveConfig, *rules: Rule, seconds: int = 40) -> tuple[list[str], Player]:
    """The hosts that the MPD was asked of, in order; a host that refused it in brackets."""
    clock = FakeClock(100 * SECOND)
    site = LiveSite(config)
    transport = FakeTransport(clock, {}, sites={f"http://{host}": site for host in HOSTS})
    transport.faults.add(Rule("/live.mpd", (LOCATED,), repeats=True), *rules)
    player = Player(transport=transport, clock=clock, output=ReadingOutput(clock))

    async def main() -> None:
        async with player:
            await player.load("http://three/live.mpd")
            player.play()
            await clock.sleep_until((100 + seconds) * SECOND)

    clock.run(main())
    asked = [request for request in transport.requests if urlsplit(request.url).path == "/live.mpd"]
    return [
        urlsplit(request.url).netloc if isinstance(request.fault, Rewrite) else f"({urlsplit(request.url).netloc})"
        for request in asked
    ], player


def gone(host: str, fault: Fault, *, from_s: int = 0) -> Rule:
    return Rule("/live.mpd", (fault,), repeats=True, host=host, from_us=from_s * SECOND)


def test_a_manifest_that_names_a_location_is_read_there() -> None:
    hosts, _ = watch(CONFIG)

    assert hosts[0] == "three"
    assert set(hosts[1:]) == {"one"}
    assert len(hosts) > 10


def test_the_next_location_is_read_when_the_first_is_gone_and_stays_the_one() -> None:
    hosts, player = watch(CONFIG, gone("one", Status(404), from_s=10))

    lost = hosts.index("(one)")
    assert set(hosts[1:lost]) == {"one"}
    assert set(hosts[lost + 1 :]) == {"two"}
    assert player.failure is None


def test_a_location_that_hangs_costs_one_wait() -> None:
    hosts, player = watch(CONFIG, gone("one", Hang(), from_s=10))

    assert hosts.count("(one)") == 1
    assert player.failure is None


def test_without_a_location_that_answers_the_manifest_is_read_where_it_came_from() -> None:
    hosts, player = watch(CONFIG, gone("one", Refuse()), gone("two", Refuse()))

    assert hosts[:5] == ["three", "(one)", "(two)", "three", "three"]
    assert player.failure is None


def test_when_the_manifest_is_nowhere_any_more_the_end_lists_where_it_was_asked_for() -> None:
    rules = (gone("one", Refuse()), gone("two", Refuse()), gone("three", Refuse(), from_s=10))
    hosts, player = watch(CONFIG, *rules, seconds=150)

    assert isinstance(player.failure, PlaybackFailed)
    said = " ".join(map(str, player.failure.attempts))
    assert all(f"http://{host}/live.mpd" in said for host in HOSTS)
    assert len(hosts) < 80


def test_the_steering_server_moves_the_reading_of_the_manifest_too() -> None:
    order = ((0, ("a", "b")), (115 * SECOND, ("b", "a")))
    config = LiveConfig(CONFIG.programmes, window_us=60 * SECOND, pathways=PATHWAYS, steering=Steering(order, ttl_s=5))

    hosts, _ = watch(config)

    moved = hosts.index("two")
    assert set(hosts[1:moved]) == {"one"}
    assert set(hosts[moved:]) == {"two"}


def test_a_steered_location_that_is_gone_is_not_tried_each_time() -> None:
    config = LiveConfig(
        CONFIG.programmes, window_us=60 * SECOND, pathways=PATHWAYS, steering=Steering(((0, ("b", "a")),), ttl_s=300)
    )

    hosts, player = watch(config, gone("two", Refuse()))

    assert hosts.count("(two)") == 1
    assert player.failure is None
