"""Serve a directory on 127.0.0.1 behind one modelled link, for any player: mpv, VLC, a browser, ours.

    python -m benchmarks.shaped_origin out/title --trace 3g --port 8000 --log requests.jsonl

All connections share the link. Its time 0 is the first request. Ctrl-C ends it and writes the log.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from cushion_player.testing.shaped_origin import ShapedOrigin
from cushion_traces.link import Link, LinkError, make_link
from cushion_traces.named import trace_for
from cushion_traces.trace import TraceError, to_link


def link_from(trace: str, latency_ms: float | None) -> Link:
    """The link of a trace by name or file, with another latency if one is given. Raises TraceError, LinkError."""
    found = trace_for(trace)
    if found is None:
        raise TraceError("an unshaped origin shapes nothing: name a trace")
    if latency_ms is None:
        return to_link(found)
    return make_link(list(found.durations_us), list(found.rates_bps), round(latency_ms * 1000))


async def serve(folder: Path, link: Link, port: int) -> str:
    """Until the process is told to stop; returns the log."""
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with ShapedOrigin(folder, link, port=port) as origin:
        print(origin.url("/"), flush=True)
        await told.wait()
        return origin.log_lines()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trace", required=True, help="a built-in trace or a trace file")
    parser.add_argument("--latency-ms", type=float, help="of every request; the trace's own by default")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, metavar="FILE", help="one JSON line a request")
    options = parser.parse_args()
    try:
        link = link_from(options.trace, options.latency_ms)
    except (TraceError, LinkError) as error:
        parser.error(str(error))
    if not options.folder.is_dir():
        parser.error(f"no such folder: {options.folder}")
    log = asyncio.run(serve(options.folder, link, options.port))
    if options.log is not None:
        options.log.write_text(log)
    return 0


if __name__ == "__main__":
    sys.exit(main())
