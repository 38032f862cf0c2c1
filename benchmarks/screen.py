"""A virtual screen and somebody who watches it: which frame of the reference film stands on it, whoever painted it.

Xvfb keeps its pixels in a file (-fbdir), which is read here as memory: looking costs the players and the X server
nothing. A look is taken every millisecond, so that is how exact a time is; a frame that is half painted is no frame.
Only the lower row of the film's bar code is read, which no player's title bar covers, and which is different for
every frame of a title of some minutes. The screen is as large as the title's pictures, and there is no window manager.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import mmap
import os
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import BenchmarkError, cpu_s
from benchmarks.title import require
from cushion_player.media.film_code import CODE_AREA, CODE_COLUMNS, code_bits

WIDTH_PX, HEIGHT_PX = 1280, 720
LOOK_S: Final = 0.001
START_S: Final = 10.0
_MIN_CONTRAST: Final = 60.0
_MARGIN: Final = 0.2
"""Of the contrast: a block this near to the threshold is half painted."""
_ROW_BYTES, _COLOURS = 12, 19
"""Fields of the header of an XWD file, by number."""


class Screen:
    """A screen of 1280 × 720 with nothing on it; `environment` brings a program onto it. Use as a context manager."""

    def __init__(self, n_frames: int, heights_px: Sequence[int] = (HEIGHT_PX,)) -> None:
        """n_frames: of the title that is to be recognised. heights_px: of pictures, at the top left corner."""
        require("Xvfb")
        self._heights_px = heights_px
        words = [_lower_row(frame) for frame in range(n_frames)]
        self._frames = {word: frame for frame, word in enumerate(words)}
        assert len(self._frames) == n_frames, "the lower row tells all frames of a title apart"

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        # What a player run as somebody else may see.
        os.chmod(self._folder.name, 0o755)
        reading, writing = os.pipe()
        size = f"{WIDTH_PX}x{HEIGHT_PX}x24"
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-fbdir", self._folder.name]
        # Else it begins anew after each player, and the next one finds nobody for a moment.
        command += ["-noreset", "-ac", "-br", "-nolisten", "tcp"]
        quiet = subprocess.DEVNULL
        self._server = subprocess.Popen(command, pass_fds=[writing], stdin=quiet, stderr=quiet)
        os.close(writing)
        with os.fdopen(reading) as answer:
            self.display = f":{answer.readline().strip()}"
        if self.display == ":":
            raise BenchmarkError("Xvfb did not start")
        pixels = self._mapped(Path(self._folder.name) / "Xvfb_screen0")
        self._codes = [_blocks(pixels, height_px) for height_px in self._heights_px]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.terminate()
        self._server.wait(10)
        self._folder.cleanup()

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to come onto this screen."""
        return {"DISPLAY": self.display, "QT_QPA_PLATFORM": "xcb"}

    def server_cpu_s(self) -> float:
        """User and system time of the X server so far."""
        return cpu_s(self._server.pid)

    def frame(self) -> int | None:
        """The number of the film's frame on the screen; None when there is none, or not a whole one."""
        return next((frame for blocks in self._codes if (frame := self._read(blocks)) is not None), None)

    def _read(self, blocks: NDArray[np.uint8]) -> int | None:
        levels = blocks.mean(axis=(0, 2))
        white, black = float(levels[0]), float(levels[-1])
        if white - black < _MIN_CONTRAST:
            return None
        scaled = (levels[1:-1] - black) / (white - black) - 0.5
        if float(np.abs(scaled).min()) < _MARGIN:
            return None
        return self._frames.get(_word(scaled > 0))

    def wait_clear(self) -> None:
        """Until no frame is on the screen. Raises BenchmarkError when one stays."""
        end_s = time.monotonic() + START_S
        while self.frame() is not None:
            if time.monotonic() > end_s:
                raise BenchmarkError("a frame stayed on the screen after its player had ended")
            time.sleep(0.01)

    def _mapped(self, path: Path) -> NDArray[np.uint8]:
        """(HEIGHT_PX, WIDTH_PX, 4) uint8, the screen itself."""
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        header = struct.unpack(">25I", self._map[:100])
        start, row_bytes = header[0] + header[_COLOURS] * 12, header[_ROW_BYTES]
        flat = np.frombuffer(self._map, np.uint8, count=HEIGHT_PX * row_bytes, offset=start)
        return flat.reshape(HEIGHT_PX, row_bytes // 4, 4)[:, :WIDTH_PX]


class Watcher:
    """Looks at the screen on a thread of its own; `seen` are (monotonic µs, frame), one for each change."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="screen-watcher")
        self.seen: list[tuple[int, int]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        last = -1
        while not self._ended.wait(LOOK_S):
            frame = self._screen.frame()
            if frame is not None and frame != last:
                self.seen.append((time.monotonic_ns() // 1000, frame))
                last = frame


class Keyboard:
    """Keys for the window under the pointer, by the X server's own test extension: the same for every program."""

    def __init__(self, screen: Screen) -> None:
        found = ctypes.util.find_library("X11"), ctypes.util.find_library("Xtst")
        if None in found:
            raise BenchmarkError("needs libX11 and libXtst (scripts/install --dev brings them with xdotool)")
        self._x11, self._test = (ctypes.CDLL(name) for name in found)
        self._x11.XOpenDisplay.restype = ctypes.c_void_p
        self._display = ctypes.c_void_p(self._x11.XOpenDisplay(screen.display.encode()))
        if not self._display:
            raise BenchmarkError(f"no connection to the screen {screen.display}")

    def press(self, key: str) -> int:
        """Press and let go of a key by its X name; returns when, in monotonic µs."""
        code = self._x11.XKeysymToKeycode(self._display, ctypes.c_ulong(self._x11.XStringToKeysym(key.encode())))
        pressed_us = time.monotonic_ns() // 1000
        for is_down in (1, 0):
            self._test.XTestFakeKeyEvent(self._display, code, is_down, ctypes.c_ulong(0))
        self._x11.XFlush(self._display)
        return pressed_us

    def close(self) -> None:
        self._x11.XCloseDisplay(self._display)


def _blocks(pixels: NDArray[np.uint8], height_px: int) -> NDArray[np.uint8]:
    """(rows, CODE_COLUMNS, columns) uint8, a view of the middles of the blocks of the lower row, in green."""
    width_px = height_px * WIDTH_PX // HEIGHT_PX
    row_px = (CODE_AREA.bottom - CODE_AREA.top) * height_px / 2
    top = round(CODE_AREA.top * height_px + row_px)
    left, right = int(CODE_AREA.left * width_px), round(CODE_AREA.right * width_px)
    step = (right - left) // CODE_COLUMNS
    strip = pixels[top + int(row_px * 0.3) : top + int(row_px * 0.7), left : left + step * CODE_COLUMNS, 1]
    blocks = strip.reshape(strip.shape[0], CODE_COLUMNS, step)
    assert np.may_share_memory(blocks, pixels), "a copy would show one picture for ever"
    return blocks[::4, :, step * 3 // 10 : step * 7 // 10]


def _lower_row(frame: int) -> int:
    return _word(code_bits(frame)[1, 1:-1])


def _word(bits: NDArray[np.bool_]) -> int:
    word = 0
    for bit in bits:
        word = word << 1 | int(bit)
    return word
