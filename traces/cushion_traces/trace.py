"""A trace: what was recorded or generated, before it becomes a link.

Kept apart from `Link`, because files say more than a link keeps (a latency per period), and a round trip must lose
nothing. All values are integers in µs and bit/s, like the link's.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from cushion_traces.link import Link, make_link


class TraceError(ValueError):
    """A trace that cannot be read or made. `location` says where in the text (`line 7`, `period 3`), or is empty."""

    def __init__(self, message: str, *, location: str = "") -> None:
        super().__init__(f"{message} (at {location})" if location else message)
        self.location = location


@dataclass(frozen=True, slots=True)
class Trace:
    """Capacity over time in periods. Raises TraceError for periods that cannot be.

    durations_us: > 0. rates_bps: >= 0, one positive at least. latencies_us: >= 0. All of one length, at least 1.
    """

    durations_us: tuple[int, ...]
    rates_bps: tuple[int, ...]
    latencies_us: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.durations_us:
            raise TraceError("a trace needs at least one period")
        if not len(self.durations_us) == len(self.rates_bps) == len(self.latencies_us):
            raise TraceError(
                f"a trace needs one rate and one latency a period, got {len(self.durations_us)} durations,"
                f" {len(self.rates_bps)} rates and {len(self.latencies_us)} latencies"
            )
        for index, (duration, rate, latency) in enumerate(
            zip(self.durations_us, self.rates_bps, self.latencies_us, strict=True)
        ):
            if duration <= 0 or rate < 0 or latency < 0:
                raise TraceError(
                    f"a period must last at least 1 µs and have no negative numbers,"
                    f" got {duration} µs, {rate} bit/s, {latency} µs latency",
                    location=f"period {index}",
                )
        if not any(self.rates_bps):
            raise TraceError("a trace needs some capacity, and every rate is 0")

    @property
    def duration_us(self) -> int:
        """One lap."""
        return sum(self.durations_us)

    @property
    def mean_bps(self) -> float:
        """Capacity averaged over a lap."""
        return sum(d * r for d, r in zip(self.durations_us, self.rates_bps, strict=True)) / self.duration_us

    @property
    def mean_latency_us(self) -> int:
        """Latency averaged over a lap, rounded to the nearest µs."""
        weighted = sum(d * latency for d, latency in zip(self.durations_us, self.latencies_us, strict=True))
        return (2 * weighted + self.duration_us) // (2 * self.duration_us)


def make_trace(durations_us: list[int], rates_bps: list[int], latency_us: int = 0) -> Trace:
    """A trace of one latency. Raises TraceError."""
    return Trace(tuple(durations_us), tuple(rates_bps), (latency_us,) * len(durations_us))


def to_link(trace: Trace) -> Link:
    """The link of a trace; its one latency is the mean over a lap. Raises LinkError past 64-bit arithmetic."""
    return make_link(list(trace.durations_us), list(trace.rates_bps), trace.mean_latency_us)


def from_link(link: Link) -> Trace:
    """The trace of a link: the inverse of `to_link` for traces of one latency."""
    edges = [int(edge) for edge in link.edge_us]
    durations = [after - before for before, after in pairwise(edges)]
    return make_trace(durations, [int(rate) for rate in link.rate_bps], link.latency_us)
