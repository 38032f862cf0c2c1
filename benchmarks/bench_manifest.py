"""What does reading a manifest cost, beside mpegdash and m3u8, and a refresh beside reading it again?"""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial

import m3u8
from mpegdash.parser import MPEGDASHParser

from benchmarks.harness import Report, Spread, alternate, arguments, finish, ratio
from benchmarks.hostile import HOSTILE_XML, worst_cases
from benchmarks.manifests import URL, mpd, mpd_patch, playlist
from cushion_player import manifest
from cushion_player.errors import ManifestError

N_S = 5_000
N_SEGMENTS = 20_000


def cpu_ms(work: Callable[[], object]) -> float:
    """CPU milliseconds of one call."""
    started_s = time.process_time()
    work()
    return (time.process_time() - started_s) * 1000


def against(question: str, name: str, ours: Callable[[], object], theirs: Callable[[], object], pairs: int) -> Report:
    """Our reader beside a library, on the same text."""
    report = Report(question)
    ours()
    theirs()
    mine, other = alternate(lambda: cpu_ms(ours), lambda: cpu_ms(theirs), pairs)
    report.add("ours, CPU ms", mine, "ms")
    report.add(f"{name}, CPU ms", other, "ms")
    faster = ratio(other, mine)
    report.rows.append(("times faster", faster, ""))
    report.judge("at least 8 times faster", faster.median >= 8)
    return report


def looking_at_all(text: bytes) -> Callable[[], object]:
    """Reading, and making every segment."""

    def work() -> object:
        read = manifest.read(text, URL).presentation
        return [list(item.segments) for each in read.periods[0].adaptation_sets for item in each.representations]

    return work


def add_lazy_cost(report: Report, text: bytes, pairs: int) -> None:
    report.add("ours, every segment looked at, CPU ms", [cpu_ms(looking_at_all(text)) for _ in range(pairs)], "ms")


def dash_beside_mpegdash(pairs: int) -> Report:
    text = mpd(N_S)
    data = text.encode()
    report = against(
        f"MPD with {N_S} S elements ({len(data) // 1000} kB)",
        "mpegdash",
        lambda: manifest.read(data, URL),
        partial(MPEGDASHParser.parse, text),
        pairs,
    )
    add_lazy_cost(report, data, pairs)
    return report


def hls_beside_m3u8(pairs: int) -> Report:
    text = playlist(N_SEGMENTS)
    data = text.encode()
    report = against(
        f"Media playlist with {N_SEGMENTS} segments ({len(data) // 1000} kB)",
        "m3u8",
        lambda: manifest.read(data, URL),
        partial(m3u8.loads, text, uri=URL),
        pairs,
    )
    add_lazy_cost(report, data, pairs)
    return report


def refreshes(pairs: int) -> Report:
    """A live refresh that adds one segment, and one that adds nothing, beside a full parse."""
    report = Report("A live refresh that adds one segment, share of a full parse")
    cases = (
        ("playlist", playlist(N_SEGMENTS, is_live=True), playlist(N_SEGMENTS, is_live=True, first=1), 0.2),
        ("MPD Patch", mpd(N_S, is_live=True), mpd_patch(N_S), 0.2),
        ("whole MPD", mpd(N_S, is_live=True), mpd(N_S, is_live=True, first=1), 1.0),
        ("playlist, bytes unchanged", playlist(N_SEGMENTS, is_live=True), playlist(N_SEGMENTS, is_live=True), 0.01),
        ("MPD, bytes unchanged", mpd(N_S, is_live=True), mpd(N_S, is_live=True), 0.01),
    )
    for name, before, after, limit in cases:
        shares = [refresh_share(before.encode(), after.encode()) for _ in range(pairs)]
        spread = Spread.of(shares)
        report.rows.append((name, spread, "of a parse"))
        report.judge(f"{name}: at most {limit:.0%} of a parse", spread.median <= limit)
    return report


def refresh_share(before: bytes, after: bytes) -> float:
    """CPU of a refresh over CPU of a parse, both of the same minute."""
    previous = manifest.read(before, URL).presentation
    parse_ms = cpu_ms(lambda: manifest.read(before, URL))
    return cpu_ms(lambda: manifest.refresh(previous, after, URL)) / parse_ms


def memory() -> Report:
    """What a presentation of 20,000 segments holds once the text is gone."""
    report = Report(f"Memory of a presentation of {N_SEGMENTS} segments, the text not counted")
    texts = (
        ("DASH, an S for each segment", mpd(N_SEGMENTS)),
        ("HLS", playlist(N_SEGMENTS)),
        ("HLS with dates", playlist(N_SEGMENTS, with_dates=True)),
    )
    for name, text in texts:
        held_mb = held_bytes(text.encode()) / 1e6
        report.add(name, [held_mb], "MB")
        report.judge(f"{name}: at most 10 MB", held_mb <= 10)
    return report


def held_bytes(data: bytes) -> int:
    """Bytes that reading leaves behind, besides the text."""
    manifest.read(data, URL)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    read = manifest.read(data, URL)
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert read.presentation.periods
    return held


def refusals(pairs: int) -> Report:
    """Hostile XML, and the dearest structures a bounded text can have."""
    report = Report("Hostile and dear input")
    for name, data in HOSTILE_XML.items():
        cost = report.add(f"refusing {name}", [attempt_ms(data) for _ in range(pairs)], "ms")
        report.judge(f"{name} is refused in 10 ms", cost.median <= 10)
    dearest = sorted(((dear_ms(data), name) for name, data in worst_cases()), reverse=True)
    for cost_ms, name in dearest[:5]:
        report.add(f"reading {name}", [cost_ms], "ms per 100 kB")
    report.judge(f"none of {len(dearest)} structures takes over 50 ms per 100 kB", dearest[0][0] <= 50)
    return report


def dear_ms(data: bytes) -> float:
    """CPU milliseconds per 100 kB, the best of three; of one where that is dear already."""
    share = len(data) / 100_000
    first = attempt_ms(data) / share
    return first if first > 200 else min(first, attempt_ms(data) / share, attempt_ms(data) / share)


def attempt_ms(data: bytes) -> float:
    return cpu_ms(partial(attempt, data))


def attempt(data: bytes) -> bool:
    """Whether it could be read; errors of ours are an answer, too."""
    try:
        manifest.read(data, URL)
    except ManifestError:
        return False
    return True


def main() -> int:
    options = arguments(__doc__ or "", pairs=7).parse_args()
    reports = [
        dash_beside_mpegdash(options.pairs),
        hls_beside_m3u8(options.pairs),
        refreshes(options.pairs),
        memory(),
        refusals(options.pairs),
    ]
    return finish(reports, options.json)


if __name__ == "__main__":
    sys.exit(main())
