"""What a session over a link was worth: read off the painted frames and the origin's log, alike for every player."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from benchmarks.abr_links import N_SEGMENTS, SEGMENT_S, linear_qoe
from benchmarks.title import THREE
from cushion_player.testing.connection import LoggedRequest

GAP_S: Final = 0.5
"""A picture that stands longer than this stood still; a machine that is busy drops frames, but not for so long."""
SEGMENT_NAME: Final = re.compile(r"/chunk-stream(\d+)-(\d+)\.m4s$")

Frame = tuple[float, float, int]
"""(seconds since the player was asked, media seconds, height)."""


@dataclass(frozen=True, slots=True)
class Score:
    """One session. Seconds; bit/s in Mb/s."""

    player: str
    link: str
    mbps: float
    startup_s: float
    stalled_s: float
    """The player's own account of its clock."""
    frozen_s: float
    """The picture stood still after the start, beyond the stalls."""
    switches: int
    qoe: float
    qoe_frozen: float
    """With frozen time counted as stalls."""
    rungs: str
    frames: int
    twice_bytes: int
    """Video bytes sent for a segment beyond the fetch that was shown, whole or in part."""
    twice_whole: int
    """Segments of which more than one fetch was completed."""
    video_bytes: int


def score(player: str, link: str, frames: Sequence[Frame], stalled_s: float, log: Sequence[LoggedRequest]) -> Score:
    """Raises ValueError when no frame was painted."""
    if not frames:
        raise ValueError(f"{player} over {link}: no frame was painted")
    startup_s = frames[0][0]
    still_s = sum(later[0] - earlier[0] for earlier, later in pairwise(frames) if later[0] - earlier[0] > GAP_S)
    frozen_s = max(0.0, still_s - stalled_s)
    rungs = shown_rungs(frames)
    rates = [THREE[rung].bitrate_bps for rung in rungs]
    twice_bytes, twice_whole, video_bytes = fetched_twice(log)
    return Score(
        player=player,
        link=link,
        mbps=sum(rates) / len(rates) / 1e6,
        startup_s=startup_s,
        stalled_s=stalled_s,
        frozen_s=frozen_s,
        switches=sum(a != b for a, b in pairwise(rungs)),
        qoe=linear_qoe(rates, startup_s + stalled_s),
        qoe_frozen=linear_qoe(rates, startup_s + stalled_s + frozen_s),
        rungs="".join(map(str, rungs)),
        frames=len({round(frame[1], 3) for frame in frames}),
        twice_bytes=twice_bytes,
        twice_whole=twice_whole,
        video_bytes=video_bytes,
    )


def shown_rungs(frames: Sequence[Frame]) -> list[int]:
    """The rung at which most frames of each segment were painted; of one that was never seen, the lowest."""
    heights = [rung.height_px for rung in THREE]
    seen: list[Counter[int]] = [Counter() for _ in range(N_SEGMENTS)]
    for _, media_s, height in frames:
        seen[min(int((media_s + 0.001) / SEGMENT_S), N_SEGMENTS - 1)][height] += 1
    return [heights.index(count.most_common(1)[0][0]) if count else 0 for count in seen]


def fetched_twice(log: Sequence[LoggedRequest]) -> tuple[int, int, int]:
    """(video bytes beyond the last whole fetch of each segment, segments fetched whole more than once, video bytes)."""
    by_segment: dict[str, list[LoggedRequest]] = {}
    for entry in log:
        found = SEGMENT_NAME.search(entry.path)
        if found and found[1] != "0":
            by_segment.setdefault(found[2], []).append(entry)
    total = sum(entry.sent_bytes for entries in by_segment.values() for entry in entries)
    useful = sum(
        next((entry.sent_bytes for entry in reversed(entries) if entry.completed), 0) for entries in by_segment.values()
    )
    whole = sum(sum(entry.completed for entry in entries) > 1 for entries in by_segment.values())
    return total - useful, whole, total
