"""Every scenario of the table ends as it should, in bounded virtual time, leaves nothing behind, and replays."""

from __future__ import annotations

import pytest

from cushion_player.testing.fault_script import Rule
from cushion_player.testing.faults import Status
from tests.player.faults.playing import complaints, play
from tests.player.faults.scenario import Ends, Fails, GoesOn, Refused, Scenario
from tests.player.faults.scenarios import BEHIND, PENDING, SCENARIOS, pending_reason
from tests.player.faults.vod_scenarios import VOD

pytestmark = pytest.mark.logs_warnings

NAMED = {scenario.name: scenario for scenario in SCENARIOS}
WAITING = {name: reason for name, scenario in NAMED.items() if (reason := pending_reason(scenario))}
MUST_PASS = [scenario for scenario in SCENARIOS if scenario.name not in WAITING]


@pytest.mark.parametrize("scenario", MUST_PASS, ids=lambda scenario: scenario.name)
def test_scenario(scenario: Scenario) -> None:
    outcome = play(scenario)

    assert complaints(scenario, outcome) == [], str(outcome)


def test_what_is_pending_does_not_pass_yet() -> None:
    passed = [name for name in WAITING if passes(NAMED[name])]

    assert passed == [], "these pass now: take them out of PENDING or BEHIND"


def passes(scenario: Scenario) -> bool:
    try:
        return not complaints(scenario, play(scenario))
    except Exception:  # whatever it is that does not work yet
        return False


def test_the_table_names_every_scenario_once_and_only_what_is_there() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    needs = {scenario.needs for scenario in SCENARIOS} - {""}

    assert len(names) == len(set(names)) >= 100
    assert set(PENDING) <= needs
    assert set(BEHIND) <= set(names)
    assert len(MUST_PASS) >= 100


@pytest.mark.parametrize(
    "wrong",
    [
        Fails(("http_status",)),
        Refused(("http_status",)),
        Ends(rebuffers=(1, 9)),
        Ends(within_s=1),
        GoesOn(10),
    ],
)
def test_the_judge_sees_an_end_that_was_not_expected(wrong: Fails | Refused | Ends | GoesOn) -> None:
    scenario = Scenario("", VOD, wrong)

    assert complaints(scenario, play(scenario))


def test_the_judge_sees_a_wrong_code_an_idle_host_and_too_many_requests() -> None:
    missing = (Rule("/p0/a0/*", (Status(404),), repeats=True),)
    scenario = Scenario(
        "",
        VOD,
        Fails(("connection_lost",), ("moon",)),
        missing,
        asks=("two", "/steering.json"),
        avoids=("one",),
        max_requests=3,
    )

    assert len(complaints(scenario, play(scenario))) == 6
