"""What every benchmark needs: costs of processes, alternating pairs, medians with their spread, a table and JSON.

CPU time is what counts: user and system time of a process and of the children it waited for. Wall time on a busy
machine means little, so every report says how busy the machine was.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from threading import Thread
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")


class BenchmarkError(Exception):
    """A benchmark that cannot be run here, or a run that went wrong; the message says which."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process cost, from start to end."""

    cpu_s: float
    wall_s: float
    peak_rss_bytes: int
    status: int
    output: str
    """Standard output and standard error together."""


def run(
    command: Sequence[str],
    *,
    timeout_s: float,
    user: int | None = None,
    extra: Mapping[str, str] | None = None,
    on_start: Callable[[int], object] | None = None,
) -> Cost:
    """Run a command to its end and account for it. Raises BenchmarkError when it fails or outlasts its time.

    user: whom to run it as, and in what group; None is us. extra: what its environment has more than ours.
    on_start: is told its process id.
    """
    with tempfile.TemporaryFile() as sink:
        started_s = time.monotonic()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            user=user,
            group=user,
            env=environment(user, extra),
        )
        try:
            if on_start is not None:
                on_start(process.pid)
            peak_rss_bytes = 0
            while True:
                # Not ru_maxrss, which holds the size of whoever forked.
                peak_rss_bytes = max(peak_rss_bytes, _high_water_bytes(process.pid))
                pid, wait_status, usage = os.wait4(process.pid, os.WNOHANG)
                wall_s = time.monotonic() - started_s
                if pid:
                    break
                if wall_s > timeout_s:
                    os.killpg(process.pid, signal.SIGKILL)
                    os.wait4(process.pid, 0)
                    process.returncode = -signal.SIGKILL
                    raise BenchmarkError(f"not finished after {timeout_s:g} s: {' '.join(command)}")
                time.sleep(0.02)
        except KeyboardInterrupt:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        status = process.returncode = os.waitstatus_to_exitcode(wait_status)
        sink.seek(0)
        output = sink.read().decode(errors="replace")
    if status:
        raise BenchmarkError(f"exit status {status}: {' '.join(command)}\n{output[-2000:]}")
    return Cost(usage.ru_utime + usage.ru_stime, wall_s, peak_rss_bytes, status, output)


def environment(user: int | None, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours for a child. Python keeps its bytecode, as an installed program does: else each start compiles all anew."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    home = {} if user is None else {"HOME": tempfile.gettempdir()}
    return {**kept, **home, **(extra or {})}


def cpu_s(pid: int) -> float:
    """User and system time of a process so far, with the children it has waited for; to 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


class Settled(Thread):
    """Notes what a process has cost when it has run for so long: what it does to start is then behind it."""

    def __init__(self, after_s: float) -> None:
        super().__init__(name="settled", daemon=True)
        self._after_s = after_s
        self._pid = 0
        self.cost_s = 0.0

    def follow(self, pid: int) -> None:
        self._pid = pid
        self.start()

    def run(self) -> None:
        time.sleep(self._after_s)
        with suppress(OSError):  # it has ended
            self.cost_s = cpu_s(self._pid)


def _high_water_bytes(pid: int) -> int:
    """Peak resident size so far, of the process alone; 0 where the system does not tell or the process has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def alternate(
    ours: Callable[[], T], theirs: Callable[[], U], pairs: int, *, on_pair: Callable[[T, U], str] | None = None
) -> tuple[list[T], list[U]]:
    """Run both `pairs` times, ours first in even pairs and second in odd ones, so that drift favours neither."""
    ours_runs: list[T] = []
    theirs_runs: list[U] = []
    for pair in range(pairs):
        if pair % 2 == 0:
            ours_runs.append(ours())
            theirs_runs.append(theirs())
        else:
            theirs_runs.append(theirs())
            ours_runs.append(ours())
        if on_pair is not None:
            print(f"  pair {pair + 1}/{pairs}: {on_pair(ours_runs[-1], theirs_runs[-1])}", file=sys.stderr, flush=True)
    return ours_runs, theirs_runs


def take_turns(
    players: Mapping[str, Callable[[], T]], rounds: int, *, on_round: Callable[[dict[str, T]], str] | None = None
) -> dict[str, list[T]]:
    """Run each of several `rounds` times; every round begins with another one, so that drift favours none."""
    runs: dict[str, list[T]] = {name: [] for name in players}
    names = list(players)
    for number in range(rounds):
        start = number % len(names)
        latest = {name: players[name]() for name in names[start:] + names[:start]}
        for name, outcome in latest.items():
            runs[name].append(outcome)
        if on_round is not None:
            print(f"  round {number + 1}/{rounds}: {on_round(latest)}", file=sys.stderr, flush=True)
    return runs


@dataclass(frozen=True, slots=True)
class Spread:
    """A median and how far the runs lay apart."""

    median: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(median(values), min(values), max(values), len(values))

    def text(self, unit: str = "", digits: int = 3) -> str:
        tail = f" {unit}" if unit else ""
        return f"{self.median:.{digits}f}{tail} ({self.low:.{digits}f} to {self.high:.{digits}f}, n={self.n})"


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """The spread of the pairs' ratios: a pair ran at the same time of day, so most of the machine cancels out."""
    return Spread.of([mine / other for mine, other in zip(ours, theirs, strict=True)])


@dataclass(slots=True)
class Report:
    """What a benchmark found out, for people and for machines."""

    question: str
    rows: list[tuple[str, Spread, str]] = field(default_factory=list)
    verdicts: list[tuple[str, bool]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, values: Sequence[float], unit: str) -> Spread:
        """A row of the table: a figure with its unit and its spread."""
        spread = Spread.of(values)
        self.rows.append((name, spread, unit))
        return spread

    def judge(self, claim: str, holds: bool) -> None:
        """A goal, and whether it was met."""
        self.verdicts.append((claim, holds))

    def print(self) -> None:
        """The table, the machine, the notes and the verdicts, on standard output."""
        width = max((len(name) for name, _, _ in self.rows), default=0)
        print(self.question)
        for name, spread, unit in self.rows:
            print(f"  {name:<{width}}  {spread.text(unit)}")
        state = machine()
        print(f"  machine: {state['cpus']} CPUs, load {state['load']}, {state['python']}, {state['system']}")
        for note in self.notes:
            print(f"  note: {note}")
        for claim, holds in self.verdicts:
            print(f"  {'met' if holds else 'NOT MET'}: {claim}")

    def as_dict(self) -> dict[str, object]:
        return {
            "question": self.question,
            "figures": {name: {"unit": unit, **asdict(spread)} for name, spread, unit in self.rows},
            "verdicts": [{"claim": claim, "met": holds} for claim, holds in self.verdicts],
            "notes": self.notes,
            "machine": machine(),
        }


def machine() -> dict[str, object]:
    """What ran the benchmark, and how busy it was in the last minute."""
    return {
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "python": f"Python {platform.python_version()}",
        "system": platform.platform(aliased=True, terse=True),
    }


def arguments(description: str, *, pairs: int) -> argparse.ArgumentParser:
    """The options all benchmarks share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--pairs", type=int, default=pairs, metavar="N", help="runs of each side (default %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    return parser


def finish(reports: Sequence[Report], json_path: Path | None) -> int:
    """Print the reports, write them down if asked to; the exit status is 0 even when a goal is missed."""
    for report in reports:
        report.print()
    if json_path is not None:
        json_path.write_text(json.dumps([report.as_dict() for report in reports], indent=2) + "\n")
    return 0
