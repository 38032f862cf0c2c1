"""The journal: every verb call and what it made the engine say, one JSON line each; it replays.

Line 1 is the header: schema version, engine configuration, rule, parameters, seed. Each following line is
`{"verb", "args", "now", "events"}`. The engine has no addresses; those in the sentences of
failed fetches are left out here.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TextIO, cast

from cushion_player import effects, notices
from cushion_player.engine.config import EngineConfig, FetchFailure, Limits, Loop, SteeringAnswer, TrackSelection
from cushion_player.engine.core import PlaybackEngine
from cushion_player.engine.retry import RetryPolicy, RetryRule
from cushion_player.engine.verbs import VERBS, VerbCall
from cushion_player.errors import JournalError
from cushion_player.timed import EventMark
from cushion_player.timeline import LiveEdge, SteeringHint, Stretch, Timeline, Track, TrackKind, TrackRung
from cushion_player.timeline_update import TimelineUpdate, TrackUpdate

SCHEMA_VERSION = 2
_ADDRESS = re.compile(r'\b[a-z]+://[^\s"\\)]+')

Json = dict[str, Any]

VALUE_TYPES: dict[str, type] = {
    cls.__name__: cls
    for cls in (
        *(Timeline, LiveEdge, Track, Stretch, TrackRung, TimelineUpdate, TrackUpdate),
        *(Limits, Loop, TrackSelection, FetchFailure, EngineConfig, RetryPolicy, RetryRule, EventMark),
        *(SteeringHint, SteeringAnswer),
    )
} | {
    cls.__name__: cls
    for cls in (*vars(effects).values(), *vars(notices).values())
    if isinstance(cls, type) and dataclasses.is_dataclass(cls)
}


def encode(value: object) -> object:
    """A value as JSON: dataclasses as objects with their type under `$`, tuples as lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"$": type(value).__name__, **fields}
    if isinstance(value, tuple | list):
        return [encode(item) for item in cast("list[object]", value)]
    if isinstance(value, TrackKind):
        return {"$": "TrackKind", "is": value.value}
    if isinstance(value, frozenset):
        return {"$": "set", "is": sorted(cast("frozenset[int]", value))}
    assert value is None or isinstance(value, str | int | float | bool), f"a journal cannot hold {value!r}"
    return value


def decode(value: object) -> object:
    """The inverse of `encode`; lists become tuples. Raises JournalError on unknown types."""
    if isinstance(value, list):
        return tuple(decode(item) for item in cast("list[object]", value))
    if isinstance(value, dict):
        fields = dict(cast("Mapping[str, object]", value))
        name = str(fields.pop("$", ""))
        if name == "TrackKind":
            return TrackKind(str(fields["is"]))
        if name == "set":
            return frozenset(cast("list[int]", fields["is"]))
        if name not in VALUE_TYPES:
            raise JournalError(f"the journal holds a value of the unknown type {name!r}")
        return VALUE_TYPES[name](**{key: decode(item) for key, item in fields.items()})
    return value


class JournalWriter:
    """Writes one playback to a text file. Give `write` to the engine as `on_verb`."""

    def __init__(
        self, sink: TextIO, config: EngineConfig, rule: str, rule_params: Mapping[str, float], seed: int
    ) -> None:
        self._sink = sink
        header = {
            "cushion_journal": SCHEMA_VERSION,
            "config": encode(config),
            "rule": rule,
            "rule_params": dict(rule_params),
            "seed": seed,
        }
        self._line(header)

    def write(self, call: VerbCall) -> None:
        self._line(
            {"verb": call.name, "args": encode(call.args), "now": call.now, "events": encode(call.events)},
        )

    def _line(self, value: Mapping[str, object]) -> None:
        self._sink.write(_ADDRESS.sub("<address>", json.dumps(value, separators=(",", ":"))) + "\n")


@dataclass(frozen=True, slots=True)
class Difference:
    """A verb whose replay said something else. `line` counts from 1 in the journal."""

    line: int
    verb: str
    recorded: object
    replayed: object


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What a replay found."""

    verbs: int
    decisions: int
    """Segments requested in the recording."""
    differences: tuple[Difference, ...]
    """The first ones, as many as were asked for."""
    difference_count: int
    """All of them."""
    unfinished_line: int | None = None
    """The number of the last line if it is unfinished (a crash); it was left out."""

    @property
    def is_equal(self) -> bool:
        return not self.difference_count


def read_lines(lines: Iterable[str], on_unfinished: Callable[[int], None] | None = None) -> Iterator[tuple[int, Json]]:
    """The objects of a journal with their line numbers; an unfinished last line (a crash) is left out.

    `on_unfinished` is then told its number. Raises JournalError where a line in the middle is not JSON.
    """
    pending: JournalError | None = None
    number = 0
    for number, line in enumerate(lines, start=1):
        if pending is not None:
            raise pending
        try:
            value = json.loads(line)
        except RecursionError:
            raise JournalError(f"journal line {number} is nested too deeply") from None
        except ValueError as exc:
            pending = JournalError(f"journal line {number} is not JSON: {exc}")
            continue
        if not isinstance(value, dict):
            raise JournalError(f"journal line {number} is not an object")
        yield number, cast("Json", value)
    if pending is not None and on_unfinished is not None:
        on_unfinished(number)


def replay(lines: Iterable[str], *, max_differences: int = 20) -> ReplayReport:
    """Drive a fresh engine with the recorded verbs and compare all that it says with what was recorded.

    `max_differences` are kept for the report, all are counted.
    Raises JournalError when the text is not a journal of this version.
    """
    unfinished: list[int] = []
    entries = read_lines(lines, unfinished.append)
    first = next(entries, None)
    if first is None:
        raise JournalError("not a journal: its only line is not JSON" if unfinished else "the journal is empty")
    header = first[1]
    if header.get("cushion_journal") != SCHEMA_VERSION:
        raise JournalError(f"not a journal of version {SCHEMA_VERSION}: {json.dumps(header)[:80]}")
    try:
        config = decode(header["config"])
        assert isinstance(config, EngineConfig)
        calls: list[VerbCall] = []
        engine = PlaybackEngine(
            config, str(header["rule"]), cast("Json", header["rule_params"]), int(header["seed"]), on_verb=calls.append
        )
        differences: list[Difference] = []
        verbs = decisions = difference_count = 0
        for number, entry in entries:
            name = str(entry["verb"])
            if name not in VERBS:
                raise JournalError(f"journal line {number} calls the unknown verb {name!r}")
            VERBS[name](engine, *cast("tuple[object, ...]", decode(entry["args"])), now=int(entry["now"]))
            engine.take_events()
            replayed = encode(calls.pop().events)
            verbs += 1
            decisions += sum(event["$"] == "FetchSegment" for event in entry["events"])
            if replayed != entry["events"]:
                difference_count += 1
                if len(differences) < max_differences:
                    differences.append(Difference(number, name, entry["events"], replayed))
    except RecursionError:
        raise JournalError("the journal does not fit this engine: a value in it is nested too deeply") from None
    except (LookupError, TypeError, AttributeError, AssertionError, ValueError, ArithmeticError) as exc:
        if isinstance(exc, JournalError):
            raise
        raise JournalError(f"the journal does not fit this engine: {type(exc).__name__}: {exc}") from exc
    return ReplayReport(verbs, decisions, tuple(differences), difference_count, next(iter(unfinished), None))
