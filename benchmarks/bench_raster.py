"""What does it cost in CPU to bring a decoded frame into a window of 1280 × 720 by the processor, beside converting it?

Our surface takes frames of the film from memory and paints them into its window on Xvfb, as often as it can; CPU of
this process a frame, the X server's apart. Beside it the conversion alone, by the same swscale call into the same size,
which is what no painter can do without. The watcher of the screen says that the last frame really stood on it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from benchmarks.harness import BenchmarkError, Report, alternate, arguments, finish, ratio
from benchmarks.screen import HEIGHT_PX, WIDTH_PX, Screen
from cushion_player.media.film import FilmSpec, film_frame
from cushion_player.media.pixels import PixelConverter
from cushion_player.outputs import VideoFrame

if TYPE_CHECKING:
    from cushion_demo_app.video_surface import VideoSurface

SOURCES = {"1080p": (1920, 1080), "720p": (1280, 720), "360p": (640, 360)}
GOAL_MS = {"1080p": 5.0}
DIFFERENT = 15
FRAMES = 150
"""Painted a run."""


class Handed:
    """A FrameSource with the frame it was handed last."""

    def __init__(self) -> None:
        self.frame: VideoFrame | None = None

    def take_due(self) -> VideoFrame | None:
        frame, self.frame = self.frame, None
        return frame

    def next_due_in_us(self) -> int | None:
        return None


@cache
def frames_of(name: str) -> list[VideoFrame]:
    """The film's first frames, in memory."""
    width_px, height_px = SOURCES[name]
    spec = FilmSpec(width_px=width_px, height_px=height_px, seconds=DIFFERENT / 30)
    return [VideoFrame(n * 33_333, 33_333, width_px, height_px, 0, film_frame(spec, n)) for n in range(DIFFERENT)]


def converting(name: str) -> Callable[[], float]:
    """CPU ms a frame of the conversion alone."""
    converter = PixelConverter()

    def measure() -> float:
        began_s = time.process_time()
        for number in range(FRAMES):
            converter.to_bgra(frames_of(name)[number % DIFFERENT], WIDTH_PX, HEIGHT_PX)
        return (time.process_time() - began_s) / FRAMES * 1e3

    return measure


def painting(name: str, surface: VideoSurface, screen: Screen, server_ms: list[float]) -> Callable[[], float]:
    """CPU ms a frame of taking, converting and painting it. Raises BenchmarkError when it is not on the screen."""
    from cushion_demo_app.qt import QtWidgets

    def measure() -> float:
        frames = [frames_of(name)[number % DIFFERENT] for number in range(FRAMES)]
        source = Handed()
        surface.attach(source)
        QtWidgets.QApplication.processEvents()
        server_s, began_s = screen.server_cpu_s(), time.process_time()
        for frame in frames:
            source.frame = frame
            surface.pull()
            surface.repaint()
        spent_ms = (time.process_time() - began_s) / FRAMES * 1e3
        QtWidgets.QApplication.processEvents()
        surface.detach()
        end_s = time.monotonic() + 5
        while screen.frame() != (FRAMES - 1) % DIFFERENT:
            if time.monotonic() > end_s:
                raise BenchmarkError(f"the last frame is not on the screen: {screen.frame()} is")
            QtWidgets.QApplication.processEvents()
            time.sleep(0.01)
        server_ms.append((screen.server_cpu_s() - server_s) / FRAMES * 1e3)
        return spent_ms

    return measure


def compare(name: str, surface: VideoSurface, screen: Screen, pairs: int) -> Report:
    width_px, height_px = SOURCES[name]
    server_ms: list[float] = []
    paint, convert = painting(name, surface, screen, server_ms), converting(name)
    paint()
    convert()
    server_ms.clear()
    ours, alone = alternate(paint, convert, pairs)
    report = Report(f"a frame of {width_px} × {height_px} into a window of {WIDTH_PX} × {HEIGHT_PX}, {FRAMES} a run")
    mine = report.add("taken, converted and painted", ours, "ms")
    report.add("converted alone", alone, "ms")
    report.add("the X server's", server_ms, "ms")
    report.rows.append(("ratio", ratio(ours, alone), ""))
    if name in GOAL_MS:
        report.judge(f"at most {GOAL_MS[name]:g} ms a frame (median {mine.median:.1f})", mine.median <= GOAL_MS[name])
    return report


def main() -> int:
    options = arguments("What does a frame in a window cost, by the processor?", pairs=7).parse_args()
    try:
        with Screen(DIFFERENT) as screen:
            os.environ.update(screen.environment)
            from cushion_demo_app.qt import QtWidgets
            from cushion_demo_app.video_surface import VideoSurface

            application = QtWidgets.QApplication(sys.argv[:1])
            surface = VideoSurface()
            surface.resize(WIDTH_PX, HEIGHT_PX)
            surface.move(0, 0)
            surface.show()
            application.processEvents()
            reports = [compare(name, surface, screen, options.pairs) for name in SOURCES]
            surface.close()
            surface.deleteLater()
            application.quit()
            application.processEvents()
            del application
    except BenchmarkError as error:
        print(f"bench raster: {error}", file=sys.stderr)
        return 1
    return finish(reports, options.json)


if __name__ == "__main__":
    sys.exit(main())
