"""Does a session of hours hold more memory, objects, tasks or threads at its end than early on?"""

from __future__ import annotations

import asyncio
import gc
import io
import multiprocessing
import sys
import threading
import tracemalloc
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

from benchmarks.harness import Report, arguments, finish
from cushion_player.clock import Clock, MonotonicClock
from cushion_player.media.headless import HeadlessRenderer
from cushion_player.media.null_audio import NullAudioOutput
from cushion_player.media.output import DecodedOutput
from cushion_player.notices import Notice, PlaybackEnded, RebufferStarted, SegmentLoaded
from cushion_player.outputs import MediaOutput
from cushion_player.player import Player
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.fault_script import FaultScript, Rule
from cushion_player.testing.faults import Status, Truncate
from cushion_player.testing.live import LiveAsset, LiveConfig, LiveSite, Programme, made_up_asset
from cushion_player.testing.origin import Origin
from cushion_player.testing.reading_output import ReadingOutput
from cushion_player.testing.transport import FakeTransport
from cushion_player.transport.base import Transport
from cushion_player.transport.http import HttpTransport
from tests.player.testing.live_media import real_asset

SECOND_US = 1_000_000
N_SAMPLES = 30
ALLOWED_TRACED_BYTES = 512 * 1024
ALLOWED_DECODED_BYTES = 2 * 1024 * 1024
"""In a real session, where what is buffered, encoded and as sound, is larger and differs by a megabyte or two from one
sample to the next."""
ALLOWED_OBJECTS = 1000
ALLOWED_RSS_BYTES = 8 * 1024 * 1024
FAULTS = (
    Rule("/p0/v*/*7.m4s", (Status(503),)),
    Rule("/p0/a0/*9.m4s", (Truncate(100),)),
)
"""One video segment in ten is refused once, one of sound is cut off once."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What is held at one moment."""

    position_s: float
    traced_bytes: int
    objects: int
    rss_bytes: int
    tasks: int
    threads: int


def sample(position_s: float) -> Sample:
    """What this process holds now, after a full collection."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Sample(
        position_s,
        tracemalloc.get_traced_memory()[0],
        len(gc.get_objects()),
        pages * 4096,
        len(asyncio.all_tasks()),
        threading.active_count(),
    )


def growth(samples: Sequence[Sample], of: Callable[[Sample], int]) -> int:
    """How much more the last third holds than the middle third, by their medians; the first third is for warming up."""
    third = len(samples) // 3
    early, late = samples[third : 2 * third], samples[2 * third :]
    return round(median(of(item) for item in late) - median(of(item) for item in early))


class _Nowhere(io.StringIO):
    """A journal that nobody keeps, counted."""

    n_chars = 0

    def write(self, text: str, /) -> int:
        self.n_chars += len(text)
        return len(text)


class Session:
    """One long playback with samples along it."""

    def __init__(self, transport: Transport, clock: Clock, output: MediaOutput) -> None:
        self.samples: list[Sample] = []
        self.finished = False
        self.rebuffers = self.segments = 0
        self.journal = _Nowhere()
        self._clock = clock
        self.player = Player(transport=transport, clock=clock, output=output, journal=self.journal)
        self.player.subscribe(self._count)

    def _count(self, notice: Notice) -> None:
        self.rebuffers += isinstance(notice, RebufferStarted)
        self.segments += isinstance(notice, SegmentLoaded)

    async def play(self, url: str, length_s: float) -> None:
        async with self.player as player:
            await player.load(url)
            player.play()
            for _ in range(N_SAMPLES):
                await self._clock.sleep_until(self._clock.now_us() + round(length_s / N_SAMPLES * 0.97 * SECOND_US))
                self.samples.append(sample(player.snapshot().engine.position_us / 1e6))
            self.finished = isinstance(await player.wait_finished(), PlaybackEnded)


def on_demand(asset: LiveAsset, length_s: float) -> LiveSite:
    return LiveSite(LiveConfig((Programme(asset),), is_vod=True, end_us=round(length_s * SECOND_US)))


def virtual_session(hours: float) -> Report:
    """The whole player but its decoders and sockets, in virtual time, with a fault every few segments."""
    length_s = hours * 3600
    clock = FakeClock()
    transport = FakeTransport(
        clock,
        {},
        sites={"http://origin": on_demand(made_up_asset(scale=0.02), length_s)},
        latency_us=30_000,
        faults=FaultScript(*FAULTS),
        keeps_log=False,
    )
    session = Session(transport, clock, ReadingOutput(clock, keeps_log=False))
    with traced():
        clock.run(session.play("http://origin/live.mpd", length_s), limit_us=round(length_s * 1.2 * SECOND_US))
    return report(f"{hours:g} virtual hours on demand, a fault every few segments", session)


def real_session(minutes: float) -> Report:
    """The whole player over loopback, decoding in real time."""
    length_s = minutes * 60
    clock = MonotonicClock()

    async def main(base: str) -> Session:
        transport = HttpTransport()
        session = Session(transport, clock, DecodedOutput(HeadlessRenderer(clock), NullAudioOutput(clock), clock))
        await session.play(f"{base}/live.mpd", length_s)
        await transport.close()
        return session

    with origin_process(length_s) as base, traced():
        session = asyncio.run(main(base))
    return report(f"{minutes:g} real minutes over loopback, decoded", session, ALLOWED_DECODED_BYTES)


def report(title: str, session: Session, allowed_bytes: int = ALLOWED_TRACED_BYTES) -> Report:
    """What grew, and whether that is within bounds."""
    made = Report(title)
    samples = session.samples
    kib = 1024
    made.add("traced memory", [item.traced_bytes / kib for item in samples], "KiB")
    made.add("objects", [float(item.objects) for item in samples], "")
    made.add("resident memory", [item.rss_bytes / kib for item in samples], "KiB")
    traced_bytes, objects = growth(samples, lambda item: item.traced_bytes), growth(samples, lambda item: item.objects)
    rss_bytes = growth(samples, lambda item: item.rss_bytes)
    tasks, threads = growth(samples, lambda item: item.tasks), growth(samples, lambda item: item.threads)
    made.notes.append(
        f"{session.segments} segments, {session.rebuffers} rebuffers, {session.journal.n_chars} of journal"
    )
    made.judge("played to its end without a rebuffer", session.finished and session.rebuffers == 0)
    claim = f"traced memory grew by at most {allowed_bytes // kib} KiB (seen {traced_bytes // kib})"
    made.judge(claim, traced_bytes <= allowed_bytes)
    made.judge(f"objects grew by at most {ALLOWED_OBJECTS} (seen {objects})", objects <= ALLOWED_OBJECTS)
    made.judge(f"resident memory grew by at most 8 MiB (seen {rss_bytes // kib} KiB)", rss_bytes <= ALLOWED_RSS_BYTES)
    made.judge(f"no more tasks or threads (seen {tasks} and {threads})", tasks <= 0 and threads <= 0)
    return made


@contextmanager
def traced() -> Generator[None, None, None]:
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


@contextmanager
def origin_process(length_s: float) -> Generator[str, None, None]:
    """An origin in a process of its own, so that its memory is not counted. Yields its address."""
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_serve, args=(theirs, length_s), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        ours.send(None)
        process.join()


def _serve(pipe: Connection, length_s: float) -> None:
    with Origin(on_demand(real_asset((240, 480)), length_s)).in_thread() as origin:
        pipe.send(origin.port)
        pipe.recv()


def main() -> int:
    parser = arguments(__doc__ or "", pairs=1)
    parser.add_argument("--virtual-hours", type=float, default=6, metavar="H", help="0 leaves it out")
    parser.add_argument("--real-minutes", type=float, default=20, metavar="M", help="0 leaves it out")
    options = parser.parse_args()
    reports = []
    if options.virtual_hours:
        reports.append(virtual_session(options.virtual_hours))
    if options.real_minutes:
        reports.append(real_session(options.real_minutes))
    return finish(reports, options.json)


if __name__ == "__main__":
    sys.exit(main())
