"""What it means to be a verb of the engine: time never runs back, consequences follow, the journal hears of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, Protocol, cast

from cushion_player.events import Event

P = ParamSpec("P")

VERBS: dict[str, Callable[..., None]] = {}
"""Every verb by name, as a journal writes it."""


@dataclass(frozen=True, slots=True)
class VerbCall:
    """One call of a verb and all that it made the engine say."""

    name: str
    args: tuple[object, ...]
    now: int
    events: tuple[Event, ...]


class VerbHost(Protocol):
    """What the decorator needs of the engine."""

    def enter_verb(self, now: int) -> int: ...
    def leave_verb(self, name: str, args: tuple[object, ...], now: int) -> None: ...


def verb(method: Callable[P, None]) -> Callable[P, None]:
    """Make a method `(self, *args, now)` a verb. All arguments but `now` are positional, for the journal's sake."""
    name = method.__name__

    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        host = cast("VerbHost", args[0])
        now = host.enter_verb(cast("int", kwargs["now"]))
        kwargs["now"] = now
        method(*args, **kwargs)
        host.leave_verb(name, args[1:], now)

    VERBS[name] = call
    return call
