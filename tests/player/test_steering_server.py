"""Asking a steering server: where, how long, how much; and what a player hears of it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from cushion_player.driving.asker import Asker
from cushion_player.driving.steering_server import LIMIT_BYTES, LIMIT_S, SteeringServer
from cushion_player.effects import AskSteering
from cushion_player.engine import FetchFailure
from cushion_player.engine.config import SteeringAnswer
from cushion_player.model import ContentSteering, PathwayClone
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.faults import Drip, Fault, Hang, Instead, Refuse, Status
from cushion_player.testing.transport import FakeTransport

URL = "http://steer/s"
USED = AskSteering(("a", "b"), (1_000_000, 2_000_000))
SECOND = 1_000_000


def says(**fields: object) -> bytes:
    return json.dumps({"VERSION": 1, "TTL": 20, "PATHWAY-PRIORITY": ["b", "a"], **fields}).encode()


class Asked:
    """A server behind a transport, and what came of asking it."""

    def __init__(self, steering: ContentSteering, content: dict[str, bytes], kind: str = "dash") -> None:
        self.clock = FakeClock()
        self.transport = FakeTransport(self.clock, dict[str, "bytes"](content))
        self.server = SteeringServer(Asker(self.transport, self.clock), steering, kind)
        self.heard: list[SteeringAnswer | FetchFailure] = []
        self.clones: tuple[PathwayClone, ...] = ()

    def ask(self, times: int = 1) -> SteeringAnswer | FetchFailure:
        async def main() -> None:
            for _ in range(times):
                async with asyncio.TaskGroup() as group:
                    self.server.ask(USED, group, self._hear, self.heard.append)

        self.clock.run(main())
        return self.heard[-1]

    def _hear(self, answer: SteeringAnswer, clones: tuple[PathwayClone, ...]) -> None:
        self.heard.append(answer)
        self.clones = clones


DASH_URL = f"{URL}?_DASH_pathway=%22a%2Cb%22&_DASH_throughput=1000000%2C2000000"


def test_an_answer_is_what_an_engine_wants_to_know() -> None:
    clone = {"BASE-ID": "a", "ID": "c", "URI-REPLACEMENT": {"HOST": "c.example"}}
    asked = Asked(ContentSteering(URL), {DASH_URL: says(**{"PATHWAY-CLONES": [clone]})})

    assert asked.ask() == SteeringAnswer(("b", "a"), 20 * SECOND, (("a", "c"),))
    assert asked.clones == (PathwayClone("a", "c", "c.example"),)


def test_the_next_time_it_is_asked_where_it_said() -> None:
    again = "http://steer/next?n=2&_HLS_pathway=%22b%22&_HLS_throughput=2000000"
    first = f"{URL}?_HLS_pathway=%22b%22&_HLS_throughput=2000000"
    asked = Asked(ContentSteering(URL), {first: says(**{"RELOAD-URI": "/next?n=2"}), again: says(TTL=9)}, "hls")

    assert asked.ask(2) == SteeringAnswer(("b", "a"), 9 * SECOND)
    assert [request.url for request in asked.transport.requests] == [first, again]


@pytest.mark.parametrize(
    ("fault", "code", "status", "after_s"),
    [
        (Status(410), "http_status", 410, 0),
        (Refuse(), "connection_lost", 0, 0),
        (Hang(), "fetch_timeout", 0, 5),
        (Drip(1, 2.0), "fetch_timeout", 0, LIMIT_S),
        (Instead(b"{"), "manifest_syntax", 0, 0),
        (Instead(b" " * (LIMIT_BYTES + 1)), "too_large", 0, 0),
        (Instead(says(**{"RELOAD-URI": "file:///etc/passwd"})), "manifest_unsupported", 0, 0),
    ],
)
def test_a_server_that_is_of_no_use_is_a_failure_within_ten_seconds(
    fault: Fault, code: str, status: int, after_s: float
) -> None:
    asked = Asked(ContentSteering(URL), {DASH_URL: says()})
    asked.transport.faults.always("/s", fault)

    failure = asked.ask()

    assert isinstance(failure, FetchFailure)
    assert (failure.code, failure.status) == (code, status)
    assert asked.clock.now_us() == round(after_s * SECOND)
    assert len(asked.transport.requests) == 1, "when to ask again is the engine's to say"


def test_patience_that_is_asked_for_is_told() -> None:
    asked = Asked(ContentSteering(URL), {})
    asked.transport.faults.always("/s", Status(429, retry_after="40"))

    failure = asked.ask()

    assert isinstance(failure, FetchFailure)
    assert (failure.status, failure.retry_after_us) == (429, 40 * SECOND)


def test_after_a_failure_it_is_asked_at_the_same_place() -> None:
    asked = Asked(ContentSteering(URL), {DASH_URL: says()})
    asked.transport.faults.once("/s", Status(503))

    assert isinstance(asked.ask(), FetchFailure)
    assert isinstance(asked.ask(), SteeringAnswer)


def test_a_proxy_is_asked_in_its_place() -> None:
    asked = Asked(replace(ContentSteering(URL), proxy_url="http://proxy/p"), {})

    asked.ask()

    assert asked.transport.requests[0].url.startswith("http://proxy/p?url=http%3A%2F%2Fsteer%2Fs&_DASH_pathway=")
