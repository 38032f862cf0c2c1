"""CEA-708 (DTVCC) captions: packets, service blocks and the commands of one service, as screens.

Source: CEA-708-E. Not drawn: borders, effects, print directions other than left to right.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from cushion_player.text.cea708_window import Window
from cushion_player.text.cue import Cue

_G2: Final = {
    0x20: " ", 0x21: "\u00a0", 0x25: "…", 0x2A: "Š", 0x2C: "Œ", 0x30: "█", 0x31: "‘", 0x32: "’", 0x33: "“", 0x34: "”",
    0x35: "•", 0x39: "™", 0x3A: "š", 0x3C: "œ", 0x3D: "℠", 0x3F: "Ÿ", 0x76: "⅛", 0x77: "⅜", 0x78: "⅝", 0x79: "⅞",
    0x7A: "│", 0x7B: "┐", 0x7C: "└", 0x7D: "─", 0x7E: "┘", 0x7F: "┌",
}  # fmt: skip
_UNKNOWN: Final = "_"
"""What stands for characters that are not in the tables (8.4.3)."""
_C1_PARAMETERS: Final = {
    0x88: 1, 0x89: 1, 0x8A: 1, 0x8B: 1, 0x8C: 1, 0x8D: 1, 0x90: 2, 0x91: 3, 0x92: 2, 0x97: 4,
    **dict.fromkeys(range(0x98, 0xA0), 6),
}  # fmt: skip
N_WINDOWS: Final = 8
_DELAY_BYTES: Final = 128
"""What a service holds back at most while it is delayed (8.10.5.12)."""


class ServiceBlock(NamedTuple):
    service: int
    data: bytes


class DtvccAssembler:
    """Puts packets together from the elements of cc_data of kind 2 and 3."""

    def __init__(self) -> None:
        self._packet = bytearray()
        self._wanted = 0

    def feed(self, starts: bool, first: int, second: int, is_valid: bool) -> Iterator[ServiceBlock]:
        """The service blocks of the packet that these two bytes complete."""
        if starts and is_valid:
            size = first & 0x3F
            self._packet = bytearray()
            self._wanted = 2 * size if size else 128
        if not is_valid or not self._wanted:
            self._wanted = 0
            return
        self._packet += bytes((first, second))
        if len(self._packet) >= self._wanted:
            packet = bytes(self._packet[1 : self._wanted])
            self._wanted = 0
            yield from _blocks(packet)


def _blocks(packet: bytes) -> Iterator[ServiceBlock]:
    at = 0
    while at < len(packet):
        service, size = packet[at] >> 5, packet[at] & 0x1F
        at += 1
        if service == 7 and size and at < len(packet):
            service = packet[at] & 0x3F
            at += 1
        if not service or not size:
            return
        yield ServiceBlock(service, packet[at : at + size])
        at += size


class Cea708Service:
    """The windows of one service."""

    def __init__(self) -> None:
        self._windows: dict[int, Window] = {}
        self._current: Window | None = None
        self._pending = b""
        """The beginning of a command whose rest is in the next block."""
        self._held = b""
        self._delayed_until_us: int | None = None

    def cues(self, start_us: int) -> tuple[Cue, ...]:
        """What is on the picture: a cue for each visible window, those of lower priority first."""
        by_priority = sorted(self._windows.values(), key=lambda window: -window.priority)
        return tuple([cue for window in by_priority if (cue := window.cue(start_us)) is not None])

    def feed(self, time_us: int, data: bytes) -> None:
        """A service block; while delayed it waits, unless it ends the delay or there is no room left."""
        self.pass_time(time_us)
        if self._delayed_until_us is None:
            self._run(time_us, data)
            return
        self._held += data
        if b"\x8e" in data or b"\x8f" in data or len(self._held) > _DELAY_BYTES:
            self._release(time_us)

    def pass_time(self, time_us: int) -> bool:
        """Let a delay end that is over by now; whether one did."""
        is_over = self._delayed_until_us is not None and time_us >= self._delayed_until_us
        if is_over:
            self._release(time_us)
        return is_over

    def _release(self, time_us: int) -> None:
        held, self._held, self._delayed_until_us = self._held, b"", None
        self._run(time_us, held)

    # ------------------------------------------------------------------ the code space

    def _run(self, time_us: int, data: bytes) -> None:
        data = self._pending + data
        self._pending = b""
        at = 0
        while at < len(data):
            length = _command_length(data, at)
            if length is None or at + length > len(data):
                self._pending = data[at : at + 64]
                return
            self._do(data[at : at + length], time_us)
            at += length
            if self._delayed_until_us is not None:
                self._held = data[at:][: 2 * _DELAY_BYTES]
                return

    def _do(self, command: bytes, time_us: int) -> None:
        code = command[0]
        if code >= 0xA0:
            self._write(chr(code))
        elif code >= 0x80:
            self._control(code, command[1:], time_us)
        elif code >= 0x20:
            self._write("♪" if code == 0x7F else chr(code))
        elif code == 0x10 and len(command) == 2 and command[1] >= 0x20 and not 0x80 <= command[1] < 0xA0:
            extended = command[1]
            self._write("㏄" if extended == 0xA0 else _G2.get(extended, _UNKNOWN))
        elif code == 0x18:
            character = int.from_bytes(command[1:3], "big")
            self._write(_UNKNOWN if 0xD800 <= character < 0xE000 or character < 0x20 else chr(character))
        elif self._current is not None:
            match code:
                case 0x08:
                    self._current.backspace()
                case 0x0C:
                    self._current.clear()
                case 0x0D:
                    self._current.carriage_return()
                case 0x0E:
                    self._current.clear_row()
                case _:
                    pass

    def _write(self, text: str) -> None:
        if self._current is not None:
            self._current.write(text)

    def _control(self, code: int, parameters: bytes, time_us: int) -> None:
        if code <= 0x87:
            self._current = self._windows.get(code & 7)
        elif 0x88 <= code <= 0x8C:
            self._change_windows(code, parameters[0])
        elif code == 0x8D:
            self._delayed_until_us = time_us + parameters[0] * 100_000
        elif code == 0x8F:
            self._windows.clear()
            self._current = None
        elif code >= 0x98:
            window = self._windows.get(code & 7)
            is_new = window is None
            self._current = window = window or Window()
            self._windows[code & 7] = window
            window.define(parameters, is_new)
        elif self._current is not None:
            match code:
                case 0x90:
                    self._current.set_pen_attributes(parameters)
                case 0x91:
                    self._current.set_pen_colour(parameters)
                case 0x92:
                    self._current.move_pen(parameters[0] & 0xF, parameters[1] & 0x3F)
                case 0x97:
                    self._current.set_attributes(parameters)
                case _:
                    pass

    def _change_windows(self, code: int, which: int) -> None:
        """Clear, display, hide, toggle or delete the windows whose bit is set."""
        for number in range(N_WINDOWS):
            window = self._windows.get(number)
            if window is None or not which >> number & 1:
                continue
            if code == 0x88:
                window.clear()
            elif code == 0x8C:
                del self._windows[number]
                if self._current is window:
                    self._current = None
            else:
                window.is_visible = code == 0x89 or (code == 0x8B and not window.is_visible)


def _command_length(data: bytes, at: int) -> int | None:
    """How many bytes a command takes (8.5); None when that is not known yet."""
    code = data[at]
    if code in _C1_PARAMETERS:
        return 1 + _C1_PARAMETERS[code]
    if code >= 0x20 or code < 0x10:
        return 1
    if code > 0x10:
        return 2 if code < 0x18 else 3
    if at + 1 >= len(data):
        return None
    extended = data[at + 1]
    if extended < 0x20:
        return 2 + extended // 8
    if 0x80 <= extended < 0x90:
        return 6 if extended < 0x88 else 7
    if 0x90 <= extended < 0xA0:
        return 3 + (data[at + 2] & 0x3F) if at + 2 < len(data) else None
    return 2
