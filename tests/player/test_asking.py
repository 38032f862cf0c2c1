"""Asking for a document: how often, where, after how long, and what is told when it cannot be had."""

from __future__ import annotations

import pytest

from cushion_player.driving.asker import MAX_ADDRESSES, Asker, told
from cushion_player.engine.retry import RetryPolicy
from cushion_player.errors import ConnectionLost, FetchError, HttpStatusError, ManifestSyntaxError
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.faults import Fault, Refuse, Status
from cushion_player.testing.transport import FakeTransport
from cushion_player.transport.base import FetchRequest, FetchResult

ONE, TWO = "http://one/a.mpd", "http://two/a.mpd"
SECOND = 1_000_000


def body(fetched: FetchResult, _: str) -> bytes:
    if fetched.body == b"no manifest":
        raise ManifestSyntaxError("this is none", location=fetched.url)
    return fetched.body


class Asked:
    """An asker of a transport where `content` is, and `faults` come first."""

    def __init__(self, content: dict[str, bytes], seed: int = 0, **faults: list[Fault | None]) -> None:
        self.clock = FakeClock()
        self.transport = FakeTransport(self.clock, dict[str, "bytes"](content))
        for host, listed in faults.items():
            self.transport.faults.once(f"http://{host}/a.mpd", *listed)
        self.asker = Asker(self.transport, self.clock, RetryPolicy(), seed)

    def ask(self, *others: str, is_once: bool = False) -> bytes:
        request = FetchRequest(ONE, label="manifest")
        return self.clock.run(self.asker.ask(request, body, others=others, is_once=is_once))

    @property
    def asked(self) -> list[str]:
        return [request.url for request in self.transport.requests]


def test_what_time_heals_is_asked_for_three_times_half_a_second_and_a_second_apart_give_or_take_a_quarter() -> None:
    asked = Asked({ONE: b"m"}, one=[Status(503), Refuse()])

    assert asked.ask() == b"m"

    times = [request.time_us for request in asked.transport.requests]
    assert len(times) == 3
    assert 750_000 <= times[1] <= 1_250_000  # busy: a second
    assert 0.75 * SECOND <= times[2] - times[1] <= 1.25 * SECOND


def test_seeds_draw_the_waits() -> None:
    ends = []
    for seed in (1, 1, 2):
        asked = Asked({ONE: b"m"}, seed, one=[Refuse()])
        asked.ask()
        ends.append(asked.clock.now_us())

    assert ends[0] == ends[1] != ends[2]


def test_another_address_comes_before_a_later_try() -> None:
    asked = Asked({ONE: b"m", TWO: b"n"}, one=[Refuse()])

    assert asked.ask(TWO) == b"n"

    assert asked.asked == [ONE, TWO]
    assert asked.clock.now_us() == 0


def test_an_address_that_does_not_have_it_is_not_asked_again_while_another_one_recovers() -> None:
    asked = Asked({TWO: b"n"}, two=[Status(503)])

    assert asked.ask(TWO) == b"n"

    assert asked.asked == [ONE, TWO, TWO]


def test_a_body_that_cannot_be_read_is_asked_for_elsewhere_and_not_again() -> None:
    asked = Asked({ONE: b"no manifest", TWO: b"n"})

    assert asked.ask(TWO) == b"n"

    assert asked.asked == [ONE, TWO]


def test_the_end_lists_every_try() -> None:
    asked = Asked({}, one=[Refuse(), Refuse(), Refuse()])

    with pytest.raises(ConnectionLost) as caught:
        asked.ask(TWO)

    assert len(caught.value.attempts) == 4
    assert asked.asked == [ONE, TWO, ONE, ONE]
    assert "HTTP 404 (http://two/a.mpd)" in str(caught.value)
    assert "refused (http://one/a.mpd), 3 times" in str(caught.value)


def test_one_try_is_told_as_it_is() -> None:
    with pytest.raises(HttpStatusError) as caught:
        Asked({}).ask()

    assert str(caught.value) == "manifest: HTTP 404 (http://one/a.mpd)"
    assert caught.value.attempts == ()


def test_who_asks_again_anyway_is_answered_after_one_round() -> None:
    asked = Asked({}, one=[Refuse(), Refuse()], two=[Refuse(), Refuse()])

    with pytest.raises(FetchError):
        asked.ask(TWO, is_once=True)

    assert asked.asked == [ONE, TWO]


def test_no_more_than_sixteen_addresses_are_tried() -> None:
    asked = Asked({})

    with pytest.raises(FetchError):
        asked.ask(*(f"http://host{number}/a.mpd" for number in range(100)))

    assert len(asked.asked) == MAX_ADDRESSES


def test_sentences_are_told_once_with_how_often() -> None:
    assert told(["a", "b", "a"]) == "a, 2 times; b"
