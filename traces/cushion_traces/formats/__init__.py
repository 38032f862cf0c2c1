"""Trace formats: readers and writers on text. No files here (see `cushion_traces.files`).

`read` recognises the format; the modules `sabre`, `pensieve` and `plain` read and write one each.
"""

from __future__ import annotations

from cushion_traces.formats import pensieve, plain, sabre
from cushion_traces.trace import Trace, TraceError

NAMES = ("sabre", "pensieve", "csv")


def detect(text: str) -> str:
    """The name of the format of a text: `sabre`, `pensieve` or `csv`. Raises TraceError when it is none of them."""
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.startswith("["):
            return "sabre"
        if stripped.replace(" ", "").startswith(plain.HEADER):
            return "csv"
        if len(stripped.split()) == 2:
            return "pensieve"
        raise TraceError(
            f"not a trace we know: neither Sabre JSON ('['), Pensieve ('seconds Mb/s') nor CSV ({plain.HEADER!r})",
            location=f"line {number}",
        )
    raise TraceError("not a trace: there is nothing in it")


def read(text: str) -> Trace:
    """Read a trace in any of the formats. Raises TraceError with the location."""
    match detect(text):
        case "sabre":
            return sabre.read(text)
        case "pensieve":
            return pensieve.read(text)
        case _:
            return plain.read(text)


def write(trace: Trace, name: str) -> str:
    """Write a trace in the format of that name. Raises TraceError when there is none, or it cannot say that much."""
    match name:
        case "sabre":
            return sabre.write(trace)
        case "pensieve":
            return pensieve.write(trace)
        case "csv":
            return plain.write(trace)
        case _:
            raise TraceError(f"no trace format named {name!r}; there are: {', '.join(NAMES)}")
