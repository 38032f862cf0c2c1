"""Which request gets which fault: ordered rules over paths, kinds, hosts, counts and times.

    script = FaultScript(
        Rule("*/3.m4s", (Status(503), None)),           # the first request of each such path, then well
        Rule(kind="manifest", host="edge-1*", from_us=20_000_000, faults=(Status(404),), repeats=True),
    )

One script serves both kinds of origin. The rule added last wins where several match.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from cushion_player.testing.answers import kind_of
from cushion_player.testing.faults import Fault


@dataclass(frozen=True, slots=True)
class Rule:
    """Which requests get what.

    path: a shell pattern for the path, or for the URL without its query when it holds `://`.
    kind: see `answers.kind_of`; "" is any.
    faults: what the matching requests get in turn (None: served well); afterwards they are served well, or get the last
        one again and again when it `repeats`.
    host: a shell pattern for host, with port where one is given. skip: so many matching requests are served well first.
    from_us, until_us: only then, by the origin's clock (µs since it began).
    is_per_path: each path has its own count; False counts all matching requests together.
    """

    path: str = "*"
    faults: tuple[Fault | None, ...] = ()
    repeats: bool = False
    kind: str = ""
    host: str = ""
    skip: int = 0
    from_us: int | None = None
    until_us: int | None = None
    is_per_path: bool = True

    def matches(self, path: str, host: str, url: str, now_us: int) -> bool:
        return (
            (not self.kind or kind_of(path) == self.kind)
            and (not self.host or fnmatchcase(host, self.host))
            and (self.from_us is None or now_us >= self.from_us)
            and (self.until_us is None or now_us < self.until_us)
            and _fits(url if "://" in self.path else path, self.path)
        )

    def nth(self, count: int) -> Fault | None:
        """What the matching request number `count` (from 0) gets."""
        count -= self.skip
        if count < 0 or not self.faults:
            return None
        if count < len(self.faults):
            return self.faults[count]
        return self.faults[-1] if self.repeats else None


def _fits(text: str, pattern: str) -> bool:
    return text == pattern or fnmatchcase(text, pattern)


class FaultScript:
    """Rules, and how often each has matched."""

    def __init__(self, *rules: Rule) -> None:
        self._rules: list[Rule] = list(rules)
        self._seen: Counter[tuple[int, str]] = Counter()

    def once(self, path: str, *faults: Fault | None) -> None:
        """The next requests of each path that matches get these in turn, later ones are served well."""
        self.add(Rule(path, faults))

    def always(self, path: str, fault: Fault) -> None:
        """Every request of a path that matches gets this."""
        self.add(Rule(path, (fault,), repeats=True))

    def add(self, *rules: Rule) -> None:
        """Add rules; each counts from now."""
        self._rules += rules

    def clear(self) -> None:
        """Behave from now on."""
        self._rules.clear()
        self._seen.clear()

    def take(self, target: str, *, host: str = "", now_us: int = 0) -> Fault | None:
        """The fault for a request that has just come. target: its path, or its whole URL."""
        path, url = target, ""
        if "://" in target:
            parts = urlsplit(target)
            path, host, url = parts.path, parts.netloc, target.partition("?")[0]
        for number in range(len(self._rules) - 1, -1, -1):
            rule = self._rules[number]
            if rule.matches(path, host, url, now_us):
                key = (number, f"{host}{path}" if rule.is_per_path else "")
                nth = self._seen[key]
                self._seen[key] += 1
                return rule.nth(nth)
        return None
