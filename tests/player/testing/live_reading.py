"""A live site as tests see it: fetched at a moment, read, and every segment compared with what was said of it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any
from urllib.parse import urlsplit

from cushion_player import manifest
from cushion_player.boxes import read_init, read_segment
from cushion_player.model import Period, Presentation, Representation, Segment
from cushion_player.planning.availability import available_segments
from cushion_player.testing.answers import Answer
from cushion_player.testing.live import (
    LiveConfig,
    LiveSite,
    Programme,
    made_up_asset,
)

SECOND = 1_000_000
BEGAN = 1_700_000_000 * SECOND
BASE = "http://live"
ASSET = made_up_asset(bitrates_bps=(100_000, 200_000), n_chunks=4)
OTHER = made_up_asset(bitrates_bps=(100_000, 300_000), n_chunks=4, segment_ms=1000, timescale=48_000)
PLAIN = LiveConfig((Programme(ASSET),), start_us=BEGAN)
CHANGING = replace(PLAIN, programmes=(Programme(ASSET, 6), Programme(OTHER, 5)), repeats=True, window_us=20 * SECOND)
ADDRESSINGS = ("number", "timeline-number", "timeline-time")

Node = Any
"""Neither library has types."""


def get(site: LiveSite, path: str, elapsed_s: float, query: str = "") -> bytes:
    answer = site.response(path, query, BEGAN + round(elapsed_s * 1e6))
    assert isinstance(answer, Answer), answer
    assert answer.status == 200, (path, answer.status)
    return answer.body


def status(site: LiveSite, path: str, elapsed_s: float, query: str = "") -> int:
    answer = site.response(path, query, BEGAN + round(elapsed_s * 1e6))
    return answer.status if isinstance(answer, Answer) else 0


def whole(site: LiveSite, path: str, elapsed_s: float) -> Presentation:
    """A presentation with all its playlists, no repairs needed."""
    result = manifest.read(get(site, path, elapsed_s), BASE + path)
    while result.needs:
        need = result.needs[0]
        result = manifest.resolve(result, need, get(site, urlsplit(need.url).path, elapsed_s), need.url)
    assert not result.presentation.repairs
    return result.presentation


def representations(presentation: Presentation) -> list[tuple[Period, Representation]]:
    return [
        (period, item)
        for period in presentation.periods
        for adaptation_set in period.adaptation_sets
        for item in adaptation_set.representations
    ]


def listed(presentation: Presentation, period: Period, item: Representation, elapsed_s: float) -> list[Segment]:
    first, stop = available_segments(presentation, period, item, Fraction(BEGAN, SECOND) + Fraction(elapsed_s))
    return list(item.pattern.segments(first, stop - 1)) if item.pattern else list(item.segments[first:stop])


def check_segment(
    site: LiveSite, item: Representation, segment: Segment, elapsed_s: float, offset: int | None
) -> tuple[int, int]:
    """Fetch a segment where the manifest says it is; its span must be what the manifest says. Returns the span."""
    init_address = (segment.init or item.init).address if (segment.init or item.init) else None  # type: ignore[union-attr] # one of them is there
    assert init_address is not None
    init = read_init(get(site, urlsplit(init_address.url).path, elapsed_s))
    info = read_segment(get(site, urlsplit(segment.address.url).path, elapsed_s), init)
    assert Fraction(info.end - info.start, init.timescale) == Fraction(segment.duration, item.timescale)
    if offset is not None:
        assert info.start == segment.start + offset
    return info.start, info.end


def whole_playlist(site: LiveSite, path: str, elapsed_s: float) -> Representation:
    presentation = manifest.read(get(site, path, elapsed_s), BASE + path).presentation
    assert not presentation.repairs
    return presentation.periods[0].adaptation_sets[0].representations[0]
