"""How far apart are picture and sound at the outputs, and how late is a picture, through rung switches and seeks?

Read off the reference film at the outputs themselves: the flash in a picture when it is shown, the beep in the samples
when they are heard, both by one clock. Times spent waiting for a processor are taken off, as they are the machine's.
Every second seek lands a little before a flash, so that picture and sound are also compared right after seeks; the
others land anywhere. A flash counts unless a seek was about to cut off its beep, or began in the middle of it. The
first picture after a seek is shown before the clock starts, so it cannot be late; all others count.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import BenchmarkError, Report, arguments, finish
from benchmarks.title import FRAME_RATE, LADDER, SEGMENT_S, title
from cushion_player.clock import MonotonicClock
from cushion_player.media.film import beep_onsets, is_flash, read_frame_code
from cushion_player.media.headless import HeadlessRenderer
from cushion_player.media.null_audio import NullAudioOutput
from cushion_player.media.output import DecodedOutput
from cushion_player.media.pixels import luma
from cushion_player.model import Container
from cushion_player.outputs import DecodeFailure, MediaFormat, MediaSegment, VideoFrame
from cushion_player.timeline import TrackKind

FILM_S = 60
SEGMENT_US = SEGMENT_S * 1_000_000
AHEAD_SEGMENTS = 3
SEEK_EVERY_S = 9.0
BOTH = frozenset({TrackKind.VIDEO, TrackKind.AUDIO})
PAIR_US = 400_000
"""A beep farther than this from a flash is another second's."""
CUT_US = 300_000
"""What comes this soon before a seek may have been cut by it."""
SILENCE_US = 110_000
"""This much silence tells the beginning of a beep from the beginning of the sound."""
SOON_US = 1_000_000
"""A flash this soon after a seek counts as right after it."""
BEFORE_FLASH_US = 200_000
AT_LEAST_SWITCHES, AT_LEAST_SEEKS = 50, 20
"""Over ten minutes; a shorter run has its share."""
MEDIAN_GOAL_MS, WORST_GOAL_MS, LATE_GOAL_MS = 20.0, 40.0, 8.0


def waited_us() -> int:
    """How long this thread has been ready to run without a processor, in all."""
    return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) // 1000


@dataclass
class Watcher:
    """Stands where screen and loudspeaker would, and is the output's listener."""

    clock: MonotonicClock
    flashes_us: list[float] = field(default_factory=list)
    """When a flash began on screen, less the wait for a processor."""
    late_us: list[float] = field(default_factory=list)
    raw_late_us: list[float] = field(default_factory=list)
    heard: list[tuple[int, NDArray[np.float32]]] = field(default_factory=list)
    breaks_us: list[int] = field(default_factory=list)
    codes: list[int | None] = field(default_factory=list)
    rungs: list[int] = field(default_factory=list)
    wrong: int = 0
    starved: int = 0

    def __post_init__(self) -> None:
        self.ready = asyncio.Event()
        self.output: DecodedOutput | None = None
        self._was_lit = False
        self._waited_us = waited_us()

    def on_frame(self, frame: VideoFrame) -> None:
        now_us, position_us, waited = self.clock.now_us(), self._position_us(), waited_us()
        picture = luma(frame)
        code, lit = read_frame_code(picture), is_flash(picture)
        self.codes.append(code)
        self.rungs.append(frame.rung)
        self.wrong += code != round(frame.time_us * FRAME_RATE / 1e6)
        late_us = position_us - frame.time_us
        wait_us = min(waited - self._waited_us, max(late_us, 0))
        self._waited_us = waited
        if self.output is not None and self.output.is_running:
            self.raw_late_us.append(late_us)
            self.late_us.append(late_us - wait_us)
            # A seek may land in the middle of a flash: only its first picture counts.
            if lit and not self._was_lit and code is not None and code % FRAME_RATE == 0:
                self.flashes_us.append(now_us - wait_us)
        self._was_lit = lit

    def _position_us(self) -> int:
        return self.output.stats().position_us if self.output is not None else 0

    def on_output_ready(self) -> None:
        self.ready.set()

    def on_output_starved(self) -> None:
        self.starved += 1

    def on_position(self, position_us: int) -> None:
        """Not needed here."""

    def on_frames_dropped(self, count: int) -> None:
        """Counted by the output."""

    def on_decode_failed(self, failure: DecodeFailure) -> None:
        raise BenchmarkError(f"a segment could not be decoded: {failure.message}")

    def on_metadata(self, time_us: int, data: bytes) -> None:
        """The film has none."""

    def beeps_us(self) -> list[float]:
        """When beeps began, of sound heard without a break."""
        found: list[float] = []
        for start_us, pcm in self._runs():
            onsets_us = [onset * 1e6 for onset in beep_onsets(pcm, 48_000)]
            found += [start_us + onset for onset in onsets_us if onset > SILENCE_US]
        return found

    def _runs(self) -> list[tuple[int, NDArray[np.float32]]]:
        runs: list[tuple[int, list[NDArray[np.float32]]]] = []
        end_us = -1.0
        for start_us, pcm in self.heard:
            if not runs or abs(start_us - end_us) > 1_000:
                runs.append((start_us, []))
            runs[-1][1].append(pcm)
            end_us = start_us + len(pcm) * 1e6 / 48_000
        return [(start_us, np.concatenate(parts)) for start_us, parts in runs]


class Film:
    """The title's segments, read from disk."""

    def __init__(self, folder: Path) -> None:
        self.audio_init = (folder / "init-stream0.m4s").read_bytes()
        self.inits = [(folder / f"init-stream{rung + 1}.m4s").read_bytes() for rung in range(len(LADDER))]
        self.n_segments = FILM_S // SEGMENT_S
        self._folder = folder

    def feed(self, output: DecodedOutput, index: int, rung: int) -> None:
        """A segment of picture at that rung and of sound."""
        start_us = index * SEGMENT_US
        for kind, stream, media_format in (
            (TrackKind.VIDEO, rung + 1, MediaFormat(rung, Container.MP4, self.inits[rung])),
            (TrackKind.AUDIO, 0, MediaFormat(0, Container.MP4, self.audio_init)),
        ):
            data = (self._folder / f"chunk-stream{stream}-{index + 1:05}.m4s").read_bytes()
            output.switch_format(kind, media_format)
            output.feed(kind, MediaSegment(start_us, start_us + SEGMENT_US, 0, data))


async def play(film: Film, watcher: Watcher, seconds: float, dice: random.Random) -> tuple[int, DecodedOutput]:
    """Play with another rung each segment, and a seek every few seconds; returns the seeks."""
    audio = NullAudioOutput(watcher.clock, on_play=lambda pcm, start_us: watcher.heard.append((start_us, pcm)))
    output = DecodedOutput(HeadlessRenderer(watcher.clock, watcher.on_frame), audio, watcher.clock)
    watcher.output = output
    output.attach(watcher)
    end_s, seeks, position_us = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end_s:
        watcher.ready.clear()
        output.prepare(position_us, BOTH)
        index = position_us // SEGMENT_US
        for _ in range(AHEAD_SEGMENTS):
            film.feed(output, index, dice.randrange(len(LADDER)))
            index += 1
        async with asyncio.timeout(30):
            await watcher.ready.wait()
        output.start(position_us, 1.0)
        watcher.breaks_us.append(watcher.clock.now_us())
        until_s = min(end_s, time.monotonic() + SEEK_EVERY_S)
        while time.monotonic() < until_s:
            if output.stats().position_us > (index - AHEAD_SEGMENTS + 1) * SEGMENT_US:
                film.feed(output, index, dice.randrange(len(LADDER)))
                index += 1
            await asyncio.sleep(0.1)
        output.stop()
        watcher.breaks_us.append(watcher.clock.now_us())
        seeks += 1
        position_us = dice.randrange((FILM_S - 20) * 1_000_000)
        if seeks % 2:
            position_us += 1_000_000 - position_us % 1_000_000 - BEFORE_FLASH_US
    await output.close()
    return seeks - 1, output


@dataclass(frozen=True)
class Offsets:
    """Sound after picture, in ms, for every flash with its beep."""

    all_ms: list[float]
    soon_ms: list[float]
    """Of these, the ones right after a seek."""
    lonely: int
    """Flashes without a beep though no seek cut it off."""


def offsets_of(watcher: Watcher) -> Offsets:
    beeps = np.array(watcher.beeps_us())
    found = Offsets([], [], 0)
    for flash_us in watcher.flashes_us:
        since_us = min((flash_us - at_us for at_us in watcher.breaks_us if at_us <= flash_us), default=PAIR_US)
        until_us = min((at_us - flash_us for at_us in watcher.breaks_us if at_us > flash_us), default=PAIR_US)
        if since_us < SILENCE_US or until_us < CUT_US:
            continue
        nearest = float(beeps[np.abs(beeps - flash_us).argmin()] - flash_us) if len(beeps) else PAIR_US
        if abs(nearest) >= PAIR_US:
            found = replace(found, lonely=found.lonely + 1)
            continue
        found.all_ms.append(nearest / 1000)
        if since_us < SOON_US:
            found.soon_ms.append(nearest / 1000)
    return found


def measure(seconds: float, seed: int) -> Report:
    """One long run."""
    watcher = Watcher(MonotonicClock())
    seeks, output = asyncio.run(play(Film(title(FILM_S, LADDER)), watcher, seconds, random.Random(seed)))
    switches = sum(before != after for before, after in zip(watcher.rungs, watcher.rungs[1:], strict=False))
    found = offsets_of(watcher)
    if len(found.all_ms) < seconds / 4:
        raise BenchmarkError(f"only {len(found.all_ms)} flashes met a beep in {seconds:g} s")
    distances = np.abs(found.all_ms)
    late_ms, raw_ms = np.array(watcher.late_us) / 1000, np.array(watcher.raw_late_us) / 1000
    stats = output.stats()
    report = Report(f"picture and sound over {seconds:g} s with {switches} switches and {seeks} seeks")
    report.add("sound after picture", found.all_ms, "ms")
    if found.soon_ms:
        report.add(f"the same, within {SOON_US / 1e6:g} s of a seek", found.soon_ms, "ms")
        report.add("distance there, worst", [float(np.abs(found.soon_ms).max())], "ms")
    report.add("distance, p99", [float(np.percentile(distances, 99))], "ms")
    report.add("lateness of pictures, p99 net of waiting", [float(np.percentile(late_ms, 99))], "ms")
    report.add("lateness of pictures, p99 raw", [float(np.percentile(raw_ms, 99))], "ms")
    report.add("pictures shown", [stats.frames_shown], "")
    report.add("dropped and skipped", [stats.frames_dropped + stats.frames_skipped], "")
    report.notes.append(f"{watcher.wrong} pictures were not those of their time; run dry {watcher.starved} times")
    median_ms, worst_ms = float(np.median(distances)), float(np.percentile(distances, 99))
    report.judge(f"median distance {median_ms:.1f} ms, at most {MEDIAN_GOAL_MS:g}", median_ms <= MEDIAN_GOAL_MS)
    report.judge(f"p99 of the distance {worst_ms:.1f} ms, at most {WORST_GOAL_MS:g}", worst_ms <= WORST_GOAL_MS)
    late = float(np.percentile(late_ms, 99))
    report.judge(f"p99 of the lateness {late:.1f} ms, at most {LATE_GOAL_MS:g}", late <= LATE_GOAL_MS)
    report.judge(f"no flash without its beep ({found.lonely})", found.lonely == 0)
    report.judge(f"every picture is that of its time ({watcher.wrong} are not)", watcher.wrong == 0)
    share = min(1.0, seconds / 600)
    wanted = switches >= AT_LEAST_SWITCHES * share and seeks >= AT_LEAST_SEEKS * share
    report.judge(f"at least {AT_LEAST_SWITCHES} switches and {AT_LEAST_SEEKS} seeks in ten minutes", wanted)
    return report


def main() -> int:
    parser = arguments(__doc__ or "", pairs=1)
    parser.add_argument("--minutes", type=float, default=3.0, metavar="M", help="how long (default %(default)s)")
    options = parser.parse_args()
    reports = [measure(options.minutes * 60, seed) for seed in range(options.pairs)]
    return finish(reports, options.json)


if __name__ == "__main__":
    sys.exit(main())
