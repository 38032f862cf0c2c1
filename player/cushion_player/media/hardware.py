"""Decoding in hardware: which devices to try, and how to go on in software when one of them fails."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import av
from av.codec.hwaccel import hwdevices_available

from cushion_player.errors import UsageError

AUTO: Final = "auto"
OFF: Final = "off"
_TRIED: Final = ("videotoolbox", "d3d11va", "vaapi", "cuda")
"""What `auto` tries, as far as the build of FFmpeg knows it: devices that decode and hand frames back."""


def devices_of(wish: str) -> tuple[str, ...]:
    """The devices to try, in order. wish: `auto`, `off`, or names with commas between them.

    Raises UsageError for a name that is unknown here.
    """
    known = hwdevices_available()
    if wish == OFF:
        return ()
    if wish == AUTO:
        return tuple(device for device in _TRIED if device in known)
    names = tuple(name.strip() for name in wish.split(","))
    for name in names:
        if name not in known:
            raise UsageError(f"no hardware {name!r} to decode with: here it is auto, off, {', '.join(known)}")
    return names


MAX_HELD_BYTES: Final = 64 * 1024 * 1024
"""Of a stream whose key frames lie further apart nothing is held: software then begins with the next one."""


class SinceKeyFrame:
    """What a hardware decoder was given since the last key frame, for a software decoder to begin with in its place."""

    def __init__(self) -> None:
        self._packets: list[av.Packet[Any]] = []
        self._held_bytes = 0
        self._shown_pts: int | None = None

    def gave(self, packet: av.Packet[Any]) -> None:
        if packet.is_keyframe:
            self._packets.clear()
            self._held_bytes = 0
        self._held_bytes += packet.size
        if self._held_bytes > MAX_HELD_BYTES:
            self._packets.clear()
        else:
            self._packets.append(packet)

    @property
    def n_packets(self) -> int:
        """How many are held."""
        return len(self._packets)

    def got(self, frames: Iterable[av.VideoFrame | av.AudioFrame]) -> None:
        """Frames came out, in presentation order."""
        for frame in frames:
            if frame.pts is not None:
                self._shown_pts = frame.pts

    def forget(self) -> None:
        """The decoder was flushed: a key frame is next."""
        self._packets.clear()
        self._held_bytes = 0
        self._shown_pts = None

    def decode_again(self, context: av.VideoCodecContext) -> list[av.VideoFrame]:
        """The frames that did not come out of the hardware, from a fresh decoder. Raises FFmpegError."""
        frames = [frame for packet in self._packets for frame in context.decode(packet)]
        shown = self._shown_pts
        return [frame for frame in frames if shown is None or frame.pts is None or frame.pts > shown]
