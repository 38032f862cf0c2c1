"""Frames whose times cannot be right: one of them would stop everything behind it, so they are left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from cushion_player.errors import DecodeError
from cushion_player.media.demux.base import CodedFrame, Stretch

SLACK_US: Final = 10_000_000
"""So much further from the middle of its piece than the piece is long a frame may lie."""
MAX_TIME_US: Final = 1 << 60
"""Beyond it arithmetic on times leaves 64 bits; 36,000 years."""
MAX_DURATION_US: Final = 3_600_000_000


def plausible(stretch: Stretch, span_us: int) -> Stretch:
    """The stretch without frames far from the others, and with durations that can be. span_us: what it should last.

    Raises DecodeError when no frame of several is left.
    """
    frames = stretch.frames
    if not frames:
        return stretch
    reach_us = max(span_us, 0) + SLACK_US
    times = [frame.pts_us for frame in frames]
    first_us, last_us = min(times), max(times)
    if last_us - first_us <= reach_us and all(_fits(frame) for frame in frames):
        return stretch
    middle_us = sorted(times)[len(times) // 2]
    kept = [
        _tamed(frame)
        for frame in frames
        if abs(frame.pts_us - middle_us) <= reach_us and abs(frame.pts_us) < MAX_TIME_US
    ]
    if not kept:
        raise DecodeError("the timestamps are nonsense")
    lost = len(frames) - len(kept)
    if not lost:
        return replace(stretch, frames=kept)
    told = f"{lost} frames with impossible times were left out"
    return replace(stretch, frames=kept, damage=f"{stretch.damage}; {told}" if stretch.damage else told)


def _fits(frame: CodedFrame) -> bool:
    """Whether its numbers can go into a packet."""
    return (
        abs(frame.pts_us) < MAX_TIME_US
        and abs(frame.dts_us) < MAX_TIME_US
        and 0 <= frame.duration_us <= MAX_DURATION_US
    )


def _tamed(frame: CodedFrame) -> CodedFrame:
    dts_us = frame.dts_us if abs(frame.dts_us) < MAX_TIME_US else frame.pts_us
    return frame._replace(duration_us=min(max(frame.duration_us, 0), MAX_DURATION_US), dts_us=dts_us)
