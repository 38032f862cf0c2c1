"""Which live segments are played in chunks, and how early they are there."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from cushion_player.model import Container, PlaylistInfo, Protection, Representation, ServerControl
from cushion_player.planning.live_chunks import MIN_CHUNK_US, dash_chunk_us, dash_early_us, hls_part_us

SECOND = 1_000_000
CHUNKED = Representation(
    "v",
    container=Container.MP4,
    availability_time_offset=Fraction(7, 4),
    availability_time_complete=False,
)
PLAYLIST = PlaylistInfo(part_target=Fraction(1, 4), server_control=ServerControl(can_block_reload=True))


def test_a_chunk_is_what_must_be_made_before_a_segment_may_be_asked_for() -> None:
    assert dash_chunk_us([CHUNKED, CHUNKED], 2 * SECOND) == SECOND // 4
    assert dash_early_us([CHUNKED, CHUNKED]) == 7 * SECOND // 4


def test_the_longest_chunk_of_all_tracks_counts() -> None:
    later = replace(CHUNKED, availability_time_offset=Fraction(3, 2))

    assert dash_chunk_us([CHUNKED, later], 2 * SECOND) == SECOND // 2


def test_no_chunk_is_shorter_than_a_picture() -> None:
    assert dash_chunk_us([replace(CHUNKED, availability_time_offset=Fraction(2))], 2 * SECOND) == MIN_CHUNK_US


@pytest.mark.parametrize(
    "other",
    [
        replace(CHUNKED, container=Container.WEBM),
        replace(CHUNKED, protection=("cenc",)),
        replace(CHUNKED, protections=(Protection("urn:mpeg:dash:mp4protection:2011", "cenc"),)),
    ],
)
def test_what_cannot_be_played_in_chunks_is_played_whole_and_asked_for_when_it_is(other: Representation) -> None:
    assert dash_chunk_us([CHUNKED, other], 2 * SECOND) == 0
    assert dash_early_us([CHUNKED, other]) == 0


def test_segments_that_are_whole_early_are_asked_for_early_and_played_whole() -> None:
    early = replace(CHUNKED, availability_time_complete=True)

    assert dash_chunk_us([early], 2 * SECOND) == 0
    assert dash_early_us([early]) == 7 * SECOND // 4


def test_an_offset_without_bound_says_nothing() -> None:
    assert dash_chunk_us([replace(CHUNKED, availability_time_offset=None)], 2 * SECOND) == 0
    assert dash_early_us([replace(CHUNKED, availability_time_offset=None, availability_time_complete=True)]) == 0


def test_playlists_without_segments_or_not_read_have_no_parts() -> None:
    assert hls_part_us([]) == 0
    assert hls_part_us([replace(CHUNKED, playlist=PLAYLIST)]) == 0
