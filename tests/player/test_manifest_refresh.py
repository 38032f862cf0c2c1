"""What a refresh promises, whatever the format: an MPD, an MPD with patches, a media playlist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.manifests import mpd, mpd_patch, playlist
from cushion_player.errors import ManifestError
from cushion_player.manifest import Change, read, refresh
from cushion_player.model import Presentation, Representation
from cushion_player.planning.lookup import segment_at

URL = "https://example.com/live/manifest"


@dataclass(frozen=True)
class Format:
    """How a live manifest of segments `first` to `first + n` is written in one format, and how it ends."""

    name: str
    live: Callable[[int, int], str]
    ended: Callable[[int, int], str]


def live_mpd(first: int, n: int) -> str:
    return mpd(n, is_live=True, first=first).replace('startNumber="1"', f'startNumber="{first + 1}"')


FORMATS = (
    Format("MPD", live_mpd, lambda first, n: live_mpd(first, n).replace('type="dynamic"', 'type="static"')),
    Format(
        "playlist",
        lambda first, n: playlist(n, is_live=True, first=first),
        lambda first, n: playlist(n, is_live=True, first=first) + "#EXT-X-ENDLIST\n",
    ),
)
formats = pytest.mark.parametrize("kind", FORMATS, ids=[each.name for each in FORMATS])


def only(presentation: Presentation) -> Representation:
    return presentation.periods[0].adaptation_sets[0].representations[0]


def spans(presentation: Presentation) -> dict[str, tuple[Fraction, Fraction]]:
    """Start and end of every segment on the presentation timeline, by URL."""
    item = only(presentation)
    return {
        segment.address.url: (Fraction(segment.start, item.timescale), Fraction(segment.end, item.timescale))
        for segment in item.segments
    }


@formats
def test_unchanged_text_gives_the_same_object(kind: Format) -> None:
    presentation = read(kind.live(3, 5).encode(), URL).presentation

    refreshed = refresh(presentation, kind.live(3, 5).encode(), URL)

    assert refreshed.presentation is presentation
    assert refreshed.changes == ()
    assert refreshed.needs == ()


@formats
@settings(max_examples=40, deadline=None)
@given(
    first=st.integers(0, 50),
    n=st.integers(1, 12),
    steps=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=5),
)
def test_segments_keep_their_place_while_the_window_moves(
    kind: Format, first: int, n: int, steps: list[tuple[int, int]]
) -> None:
    presentation = read(kind.live(first, n), URL).presentation
    for removed, added in steps:
        removed = min(removed, n + added - 1, n - 1)
        first, n = first + removed, n - removed + added
        before = spans(presentation)

        refreshed = refresh(presentation, kind.live(first, n), URL)

        after = spans(refreshed.presentation)
        assert list(after) == [
            segment.address.url for segment in only(read(kind.live(first, n), URL).presentation).segments
        ]
        assert only(refreshed.presentation).segments[0].number in (first, first + 1)
        assert {url: after[url] for url in after if url in before} == {
            url: before[url] for url in after if url in before
        }
        if added or removed:
            assert [(change.added, change.removed) for change in refreshed.changes] == [(added, removed)]
        presentation = refreshed.presentation


@formats
def test_a_position_is_found_in_the_same_segment_after_a_refresh(kind: Format) -> None:
    presentation = read(kind.live(0, 6), URL).presentation
    start, end = list(spans(presentation).values())[4]
    time = (start + end) / 2
    before = only(presentation)
    index = segment_at(before, time)
    assert index is not None

    after = only(refresh(presentation, kind.live(2, 6), URL).presentation)

    moved = segment_at(after, time)
    assert moved is not None
    assert after.segments[moved].address == before.segments[index].address


@formats
def test_the_end_of_a_live_presentation_is_noticed(kind: Format) -> None:
    presentation = read(kind.live(0, 4), URL).presentation

    ended = refresh(presentation, kind.ended(0, 5), URL).presentation

    assert presentation.is_live
    assert not ended.is_live
    assert ended.duration is not None


@formats
@pytest.mark.parametrize("text", ["", "<html><body>busy</body></html>", "<MPD><Period>", "#EXTM3U\n", "\0"])
def test_what_is_no_manifest_leaves_the_previous_one_as_it_was(kind: Format, text: str) -> None:
    presentation = read(kind.live(0, 4), URL).presentation
    before = spans(presentation)

    with pytest.raises(ManifestError) as refused:
        refresh(presentation, text, URL)

    assert refused.value.location
    assert spans(presentation) == before
    assert len(spans(refresh(presentation, kind.live(1, 4), URL).presentation)) == 4


def test_a_patch_gives_what_the_whole_mpd_would() -> None:
    presentation = read(mpd(5, is_live=True), URL).presentation

    patched = refresh(presentation, mpd_patch(5), URL)

    whole = read(mpd(6, is_live=True), URL).presentation
    assert spans(patched.presentation) == spans(whole)
    assert patched.presentation.live.publish_time == whole.live.publish_time
    assert patched.changes == (Change("0", "v", 1, 0),)
