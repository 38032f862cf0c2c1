"""Places of one priority, drawn by weight."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from urllib.parse import urlsplit

import pytest

from cushion_player.model import AdaptationSet, BaseUrl, ContentKind, Period, Presentation, Representation
from cushion_player.planning.places import sources_of
from cushion_player.planning.weighting import by_weight
from cushion_player.player import Player
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.faults import Rewrite
from cushion_player.testing.live import LiveConfig, LiveSite, Pathway, Programme, made_up_asset
from cushion_player.testing.reading_output import ReadingOutput
from cushion_player.testing.transport import FakeTransport
from tests.player.manifest_files import load

SEEDS = range(1500)
SECOND = 1_000_000
LIVE = LiveConfig((Programme(made_up_asset(bitrates_bps=(100_000,))),), window_us=60 * SECOND)
VOD = LiveConfig(LIVE.programmes, is_vod=True, end_us=30 * SECOND)


def presented(*bases: BaseUrl) -> Presentation:
    items = (Representation("0", bases=bases), Representation("1", bases=bases[::-1]))
    found = AdaptationSet("v", ContentKind.VIDEO, items)
    return Presentation("dash", "http://x/m.mpd", False, None, (Period("p", Fraction(0), None, (found,)),))


def order(presentation: Presentation, seed: int, rung: int = 0) -> tuple[str, ...]:
    return tuple(sources_of(by_weight(presentation, seed).periods[0].adaptation_sets[0].representations[rung]))


A, B, C = BaseUrl("http://a/", "a", 1, 1), BaseUrl("http://b/", "b", 1, 3), BaseUrl("http://c/", "c", 2, 100)


def test_weights_are_the_shares_in_which_viewers_begin() -> None:
    first = Counter(order(presented(A, B), seed)[0] for seed in SEEDS)

    assert first["b"] / len(SEEDS) == pytest.approx(0.75, abs=0.03)


def test_the_second_choice_is_drawn_by_weight_among_those_left() -> None:
    four = presented(*(BaseUrl(f"http://{name}/", name, 1, weight) for name, weight in (("a", 1), ("b", 2), ("c", 5))))

    orders = Counter(order(four, seed) for seed in SEEDS)

    assert orders["c", "b", "a"] / len(SEEDS) == pytest.approx(5 / 8 * 2 / 3, abs=0.03)
    assert orders["a", "b", "c"] / len(SEEDS) == pytest.approx(1 / 8 * 2 / 7, abs=0.02)


def test_priority_comes_before_weight() -> None:
    assert {order(presented(C, A, B), seed)[2] for seed in range(50)} == {"c"}


def test_a_seed_draws_the_same_in_every_representation() -> None:
    presentation = presented(A, B)

    assert all(order(presentation, seed) == order(presentation, seed, rung=1) for seed in range(50))
    assert len({order(presentation, seed) for seed in range(50)}) == 2


def test_where_nothing_has_a_weight_the_listed_order_stays() -> None:
    plain = presented(BaseUrl("http://a/", "a"), BaseUrl("http://b/", "b"))

    assert by_weight(plain, 7) is plain
    assert order(plain, 7) == ("a", "b")


def test_places_without_a_weight_beside_one_that_has_count_as_one() -> None:
    mixed = presented(BaseUrl("http://a/", "a"), B)

    first = Counter(order(mixed, seed)[0] for seed in SEEDS)

    assert first["b"] / len(SEEDS) == pytest.approx(0.75, abs=0.03)


def test_addresses_stay_at_home_whatever_is_preferred() -> None:
    bases = by_weight(presented(A, B), 1).periods[0].adaptation_sets[0].representations[0].bases

    assert [base.url for base in bases] == ["http://a/", "http://b/"]
    assert sorted(base.priority for base in bases) == [1, 2]


@pytest.mark.parametrize("config", [VOD, LIVE], ids=["on demand", "live"])
def test_viewers_of_one_title_begin_at_different_hosts_and_stay_there(config: LiveConfig) -> None:
    hosts: set[str] = set()
    for seed in range(6):
        clock = FakeClock(100 * SECOND)
        site = LiveSite(replace(config, pathways=(Pathway("a", "http://one/"), Pathway("b", "http://two/"))))
        transport = FakeTransport(clock, {}, sites={"http://one": site, "http://two": site})
        weights = Rewrite(r'priority="\d"', 'priority="1" weight="5"')
        transport.faults.always("/live.mpd", weights)
        player = Player(transport=transport, clock=clock, output=ReadingOutput(clock), seed=seed)

        async def watch(player: Player = player, clock: FakeClock = clock) -> None:
            async with player:
                await player.load("http://one/live.mpd")
                player.play()
                await clock.sleep_until(112 * SECOND)

        clock.run(watch())
        asked = {urlsplit(request.url).netloc for request in transport.requests if request.url.endswith(".m4s")}
        assert len(asked) == 1
        hosts |= asked

    assert hosts == {"one", "two"}


def test_an_mpd_says_priorities_and_weights() -> None:
    found = load("live.mpd").periods[0].adaptation_sets[0].representations[0].bases

    assert [(base.service_location, base.priority, base.weight) for base in found] == [("a", 1, 9), ("b", 2, 5)]
