"""Plays one scenario through the real player in virtual time, and says what became of it."""

from __future__ import annotations

import asyncio
import io
import threading
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cushion_player.errors import CushionError
from cushion_player.journal import replay
from cushion_player.notices import (
    GapSkipped,
    MediaDamaged,
    Notice,
    PlaybackEnded,
    PlaybackFailed,
    PlaybackStarted,
    RebufferStarted,
    SegmentRetried,
)
from cushion_player.player import Player
from cushion_player.testing.answers import kind_of
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.fault_script import FaultScript
from cushion_player.testing.live import LiveSite
from cushion_player.testing.reading_output import ReadingOutput
from cushion_player.testing.transport import FakeTransport
from cushion_player.transport.shaped import ShapedTransport
from cushion_traces.link import make_link
from tests.player.faults.scenario import Ends, Fails, GoesOn, Pause, Refused, Scenario, Seek

SECOND = 1_000_000
LIMIT_S = 900
"""Virtual seconds after which a scenario counts as hung."""
LATENCY_US = 20_000
_WITHOUT_ATTEMPTS = ("decode", "codec")
"""Failures of what came, not of asking for it."""


@dataclass
class Outcome:
    """What became of a scenario."""

    finished: PlaybackEnded | PlaybackFailed | None = None
    refused: CushionError | None = None
    elapsed_s: float = 0.0
    position_s: float = 0.0
    notices: list[Notice] = field(default_factory=list[Notice])
    requests: Counter[str] = field(default_factory=Counter[str])
    """Of each host's media, of each path of anything else, and `all`."""
    left: list[str] = field(default_factory=list[str])
    """Tasks, responses and threads that were not cleaned up; what its journal replays differently."""

    def count(self, kind: type[Notice]) -> int:
        return sum(1 for notice in self.notices if isinstance(notice, kind))

    def __str__(self) -> str:
        end = self.refused or self.finished or "left"
        counts = ", ".join(
            f"{self.count(kind)} {name}"
            for kind, name in (
                (RebufferStarted, "rebuffers"),
                (SegmentRetried, "retries"),
                (MediaDamaged, "damaged"),
                (GapSkipped, "skipped"),
            )
        )
        return f"{end!r} after {self.elapsed_s:.2f} s at {self.position_s:.2f} s; {counts}; {dict(self.requests)}"


def play(scenario: Scenario) -> Outcome:
    """Play it from its beginning to its end, or to the moment the viewer leaves."""
    clock = FakeClock(round(scenario.from_s * SECOND))
    site = LiveSite(scenario.config)
    transport = FakeTransport(
        clock,
        scenario.content,
        sites=dict.fromkeys(scenario.hosts, site),
        latency_us=LATENCY_US,
        faults=FaultScript(*scenario.rules),
    )
    link = make_link([SECOND], [scenario.link_bps], LATENCY_US) if scenario.link_bps else None
    journal = io.StringIO()
    player = Player(
        transport=ShapedTransport(transport, clock, link) if link else transport,
        clock=clock,
        output=ReadingOutput(clock),
        journal=journal,
        other_urls=scenario.also,
    )
    outcome = Outcome()
    player.subscribe(outcome.notices.append)
    began_us = clock.now_us()
    threads = threading.active_count()

    async def main() -> None:
        try:
            async with player:
                await _watch(player, clock, scenario, outcome, began_us)
        except CushionError as error:
            outcome.refused = error
        outcome.elapsed_s = (clock.now_us() - began_us) / 1e6
        others = asyncio.all_tasks() - {asyncio.current_task()}
        outcome.left += [f"task {task.get_name()}" for task in others if not task.done()]

    clock.run(main(), limit_us=LIMIT_S * SECOND)
    if transport.open_streams:
        outcome.left.append(f"{transport.open_streams} responses")
    if threading.active_count() > threads:
        outcome.left.append("threads")
    if journal.getvalue().count("\n") > 1:
        report = replay(io.StringIO(journal.getvalue()))
        if not report.is_equal:
            outcome.left.append(f"the journal replays differently: {report.differences[:1]}")
    for request in transport.requests:
        parts = urlsplit(request.url)
        outcome.requests[parts.netloc if kind_of(parts.path) in ("segment", "init") else parts.path] += 1
    outcome.requests["all"] = len(transport.requests)
    return outcome


async def _watch(player: Player, clock: FakeClock, scenario: Scenario, outcome: Outcome, began_us: int) -> None:
    await player.load(scenario.url, round(scenario.start_s * SECOND))
    player.play()
    acting = asyncio.create_task(_act(player, clock, scenario, began_us))
    try:
        if scenario.leave_s is None:
            outcome.finished = await player.wait_finished()
        else:
            await _wait_or_leave(player, clock, outcome, began_us + round(scenario.leave_s * SECOND))
        outcome.position_s = player.snapshot().engine.position_us / 1e6
    finally:
        acting.cancel()
        await asyncio.gather(acting, return_exceptions=True)


async def _wait_or_leave(player: Player, clock: FakeClock, outcome: Outcome, until_us: int) -> None:
    waiting = asyncio.create_task(player.wait_finished())
    leaving = asyncio.create_task(clock.sleep_until(until_us))
    await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
    if waiting.done():
        outcome.finished = waiting.result()
    for task in (waiting, leaving):
        task.cancel()
    await asyncio.gather(waiting, leaving, return_exceptions=True)


async def _act(player: Player, clock: FakeClock, scenario: Scenario, began_us: int) -> None:
    for act in scenario.acts:
        await clock.sleep_until(began_us + round(act.at_s * SECOND))
        match act:
            case Seek(_, to_s):
                player.seek(round(to_s * SECOND))
            case Pause(_, for_s):
                player.pause()
                await clock.sleep_until(clock.now_us() + round(for_s * SECOND))
                player.play()


# --------------------------------------------------------------------------- judging


def complaints(scenario: Scenario, outcome: Outcome) -> list[str]:
    """How the outcome is not what the scenario expects; empty when it is."""
    expected = scenario.expect
    found = [f"left behind: {what}" for what in outcome.left]
    if outcome.elapsed_s > expected.within_s:
        found.append(f"took {outcome.elapsed_s:.1f} s, expected at most {expected.within_s:g} s")
    if outcome.requests["all"] > scenario.max_requests:
        found.append(f"{outcome.requests['all']} requests, expected at most {scenario.max_requests}")
    found += [f"never asked {what}" for what in scenario.asks if not outcome.requests[what]]
    found += [f"asked {what}" for what in scenario.avoids if outcome.requests[what]]
    match expected:
        case Ends():
            if not isinstance(outcome.finished, PlaybackEnded):
                found.append("expected to end")
        case GoesOn(seconds):
            if outcome.finished is not None or outcome.refused is not None:
                found.append("expected to go on")
            else:
                found += _progress(outcome, seconds)
        case Fails(codes):
            if not isinstance(outcome.finished, PlaybackFailed):
                found.append(f"expected to fail with {' or '.join(codes)}")
            else:
                said = "\n".join((outcome.finished.message, *map(str, outcome.finished.attempts)))
                found += _named(outcome.finished.code, codes, said, expected.mentions)
                if not outcome.finished.attempts and outcome.finished.code not in _WITHOUT_ATTEMPTS:
                    found.append("no attempt is listed")
        case Refused(codes):
            if outcome.refused is None:
                found.append(f"expected to be refused with {' or '.join(codes)}")
            else:
                found += _named(outcome.refused.code, codes, str(outcome.refused), expected.mentions)
    if isinstance(expected, Ends | GoesOn):
        for name, kind, (least, most) in (
            ("rebuffers", RebufferStarted, expected.rebuffers),
            ("damaged segments", MediaDamaged, expected.damaged),
            ("skipped gaps", GapSkipped, expected.skipped),
        ):
            if not least <= outcome.count(kind) <= most:
                found.append(f"{outcome.count(kind)} {name}, expected {least} to {most}")
    return found


def _progress(outcome: Outcome, seconds: float) -> list[str]:
    first = next((notice.position_us / 1e6 for notice in outcome.notices if isinstance(notice, PlaybackStarted)), None)
    if first is None:
        return ["never started"]
    played = outcome.position_s - first
    return [f"played {played:.1f} s, expected at least {seconds:g} s"] if played < seconds else []


def _named(code: str, codes: tuple[str, ...], message: str, mentions: tuple[str, ...]) -> list[str]:
    found = [] if code in codes else [f"failed with {code}, expected {' or '.join(codes)}"]
    return found + [f"the message does not mention {text!r}: {message}" for text in mentions if text not in message]
