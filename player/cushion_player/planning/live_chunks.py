"""When a live presentation is read again, how early its segments are there, whether they play in chunks. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from cushion_player.manifest.hls_parts import comes_in_parts
from cushion_player.model import Container, Presentation, Representation, seconds_to_us

MIN_CHUNK_US = 20_000
"""Less than a picture cannot be played."""
PATTERN_REFRESH_US = 20_000_000
"""After how long a pattern is laid out further when the manifest says it will not change."""
MIN_REFRESH_US = 500_000
"""However often a manifest says that it changes."""


def dash_chunk_us(rungs: Sequence[Representation], longest_us: int) -> int:
    """How long the chunks of DASH segments are at most; 0 where they are played whole.

    rungs: of all tracks. longest_us: the longest segment; its first chunk is there when the segment may be asked for.
    """
    if not all(_is_chunked(item) for item in rungs):
        return 0
    return max(MIN_CHUNK_US, longest_us - _offset_us(rungs))


def dash_early_us(rungs: Sequence[Representation]) -> int:
    """How long before its end a segment may be asked for on every track: no sooner than it can be played."""
    is_playable = all(item.availability_time_complete or _is_chunked(item) for item in rungs)
    return _offset_us(rungs) if is_playable else 0


def hls_part_us(followed: Sequence[Representation]) -> int:
    """How long the parts of HLS segments are at most; 0 where segments are played whole.

    followed: the rungs whose playlists are read again and again.
    """
    read = [item for item in followed if item.playlist is not None]
    targets = [item.playlist.part_target for item in read if item.playlist is not None and comes_in_parts(item)]
    if not targets or len(targets) < len(read):
        return 0
    return max(MIN_CHUNK_US, *(seconds_to_us(target) for target in targets if target is not None))


def dash_refresh_us(presentation: Presentation, longest_us: int) -> int:
    """After how long an MPD is to be asked for again; one that will not change, to be laid out further."""
    period = presentation.live.minimum_update_period
    if period is None:
        return PATTERN_REFRESH_US
    return max(MIN_REFRESH_US, min(seconds_to_us(period) or longest_us, PATTERN_REFRESH_US))


def _offset_us(rungs: Sequence[Representation]) -> int:
    offsets = [item.availability_time_offset for item in rungs]
    known = [offset for offset in offsets if offset is not None]
    return max(0, seconds_to_us(min(known))) if known and len(known) == len(offsets) else 0


def _is_chunked(item: Representation) -> bool:
    """Whether its segments come in fragments of MP4, in the clear, that can be played one by one."""
    is_early = item.availability_time_offset is not None and item.availability_time_offset > 0
    is_clear = not item.protections and not item.protection
    return is_early and not item.availability_time_complete and item.container is Container.MP4 and is_clear
