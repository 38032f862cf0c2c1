"""The table of all scenarios, and which of them wait for something that is not there yet."""

from __future__ import annotations

from collections.abc import Mapping

from tests.player.faults.host_scenarios import host_scenarios
from tests.player.faults.live_scenarios import live_scenarios
from tests.player.faults.manifest_scenarios import manifest_scenarios
from tests.player.faults.range_scenarios import range_scenarios
from tests.player.faults.scenario import Scenario
from tests.player.faults.steering_scenarios import steering_scenarios
from tests.player.faults.vod_scenarios import vod_scenarios

PENDING: Mapping[str, str] = {}
"""What scenarios need that is not there, and what happens instead. Each of them must fail, and a test says which no
longer do: whoever brings a feature takes it out of here, and puts what it does not do yet into BEHIND."""

BEHIND: Mapping[str, str] = {}
"""Single scenarios that do not pass though what they need is there, and why."""

SCENARIOS: tuple[Scenario, ...] = (
    *vod_scenarios(),
    *range_scenarios(),
    *host_scenarios(),
    *live_scenarios(),
    *manifest_scenarios(),
    *steering_scenarios(),
)


def pending_reason(scenario: Scenario) -> str:
    """Why a scenario cannot pass yet; "" when it must."""
    return BEHIND.get(scenario.name) or PENDING.get(scenario.needs, "")
