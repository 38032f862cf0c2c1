"""Links by name, for windows and command lines: the built-in traces, or a file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cushion_traces.files import read_trace
from cushion_traces.generators import MOBILE_3G, MOBILE_4G, markov, step
from cushion_traces.link import Link
from cushion_traces.trace import Trace, TraceError, make_trace, to_link

UNSHAPED: Final = "unshaped"
NAMES: Final = (UNSHAPED, "constant", "step", "3g", "4g")

DESCRIPTIONS: Final[dict[str, str]] = {
    UNSHAPED: "the network as it is",
    "constant": "4 Mb/s, 40 ms",
    "step": "6, 1, 6 Mb/s for 10 s each, 40 ms",
    "3g": "generated like a 3G recording, 5 minutes, 100 ms",
    "4g": "generated like a 4G recording, 5 minutes, 20 ms",
}

SEED: Final = 1
SECONDS: Final = 300.0


def trace_for(name_or_path: str) -> Trace | None:
    """The trace of that name, else of that file; None for `unshaped`. Raises TraceError."""
    match name_or_path:
        case "unshaped":
            return None
        case "constant":
            return make_trace([60_000_000], [4_000_000], 40_000)
        case "step":
            return step([6_000_000, 1_000_000, 6_000_000], 10.0, 40_000)
        case "3g":
            return markov(MOBILE_3G, SECONDS, SEED)
        case "4g":
            return markov(MOBILE_4G, SECONDS, SEED)
        case _:
            path = Path(name_or_path)
            if not path.is_file():
                raise TraceError(f"no trace named {name_or_path!r}, nor such a file; there are: {', '.join(NAMES)}")
            return read_trace(path)


def link_for(name_or_path: str) -> Link | None:
    """A new link for that name or file; None for `unshaped`. Raises TraceError, or LinkError past 64-bit arithmetic."""
    trace = trace_for(name_or_path)
    return None if trace is None else to_link(trace)
