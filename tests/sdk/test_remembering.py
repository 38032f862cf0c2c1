"""What one session measured lets the next one begin at the right rung."""

from __future__ import annotations

import json

import pytest

from cushion_abr.remembered import DEFAULT_TTL_S, RememberedThroughput, decode, encode
from cushion_sdk.device import DeviceStores
from cushion_sdk.remembering import PARAMETER, SETTING, network_of, remember, with_remembered
from cushion_sdk.session_events import RungShown
from cushion_sdk.session_types import SessionOptions
from tests.sdk.conftest import Living

NOW_MS = 1_700_000_000_000


@pytest.mark.parametrize(
    ("url", "network"),
    [
        ("http://User:secret@Host.example:8080/a.mpd?token=1", "3g host.example:8080"),
        ("https://host.example/a.m3u8", "3g host.example"),
        ("file:///films/a.mp4", None),
    ],
)
def test_a_network_is_a_link_and_a_server_without_secrets(url: str, network: str | None) -> None:
    assert network_of(url, "3g") == network


async def test_a_fresh_memory_becomes_the_rules_parameter() -> None:
    with DeviceStores.open(None) as stores:
        remember(stores, 2_500_000.0, "net", NOW_MS)

        options = await with_remembered(SessionOptions(), stores, "net", NOW_MS + 1000)

    assert options.rule_params == {PARAMETER: 2_500_000.0}


@pytest.mark.parametrize(
    ("options", "network", "age_s"),
    [
        (SessionOptions(), "net", DEFAULT_TTL_S + 1),
        (SessionOptions(), "other", 1),
        (SessionOptions(), None, 1),
        (SessionOptions(remember_throughput=False), "net", 1),
        (SessionOptions(rule="bba0"), "net", 1),
        (SessionOptions(rule="no such rule"), "net", 1),
        (SessionOptions(rule_params={PARAMETER: 1.0}), "net", 1),
    ],
)
async def test_a_memory_that_does_not_fit_changes_nothing(
    options: SessionOptions, network: str | None, age_s: float
) -> None:
    with DeviceStores.open(None) as stores:
        remember(stores, 2_500_000.0, "net", NOW_MS)

        assert await with_remembered(options, stores, network, NOW_MS + round(age_s * 1000)) is options


async def test_a_damaged_memory_is_none() -> None:
    with DeviceStores.open(None) as stores:
        stores.set_setting(SETTING, "{")
        options = SessionOptions()

        assert await with_remembered(options, stores, "net", NOW_MS) is options


def test_a_session_leaves_what_it_measured_to_the_next(living: Living) -> None:
    first_rungs: list[int] = []

    async def play() -> str | None:
        for _ in range(2):
            async with living.session(options=SessionOptions(trace="step", start_s=0.0)) as session:
                events = session.events()
                session.play()
                await living.sleep(8)
            shown = [event.rung async for event in events if isinstance(event, RungShown)]
            first_rungs.append(shown[0])
        return living.stores.setting(SETTING).result()

    kept = decode(living.clock.run(play()) or "")

    assert kept is not None
    assert kept.throughput_bps == pytest.approx(6e6, rel=0.2)  # the first ten seconds of the link called `step`
    assert kept.network.startswith("step ")
    assert first_rungs == [0, 1]  # 2 s at 1.2 Mb/s come in 0.4 s


def test_what_is_kept_is_a_line_of_json() -> None:
    assert json.loads(encode(RememberedThroughput(1.4, 5, "n"))) == {
        "v": 1, "throughput_bps": 1, "at_ms": 5, "network": "n",
    }  # fmt: skip
