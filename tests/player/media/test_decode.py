"""The decoder against the reference film: every frame, once, in order, whatever the rungs do."""

from __future__ import annotations

import av
import numpy as np

from cushion_player.media.decode import Frame, TrackDecoder
from cushion_player.media.film import read_frame_code
from cushion_player.timeline import TrackKind
from tests.player.media.film_ladder import FilmLadder


def codes(frames: list[Frame]) -> list[int | None]:
    return [read_frame_code(luma(frame)) for frame in frames]


def luma(frame: Frame) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    assert isinstance(frame, av.VideoFrame)
    return frame.to_ndarray(format="gray8").astype(np.uint8)


def test_switching_the_rung_every_segment_loses_and_damages_no_frame(ladder: FilmLadder) -> None:
    decoder = TrackDecoder(TrackKind.VIDEO)
    frames: list[Frame] = []

    for index in range(ladder.n_segments):
        rung = (2, 0, 1)[index % 3]
        frames += decoder.switch(ladder.inits[rung])
        frames += decoder.decode(ladder.segments[rung][index], 0)
    frames += decoder.drain()

    assert codes(frames) == list(range(ladder.spec.n_frames))
    assert [frame.pts for frame in frames] == [round(n * 1_000_000 / 30) for n in range(ladder.spec.n_frames)]
    assert decoder.corrupt == 0
    assert {frame.height for frame in frames if isinstance(frame, av.VideoFrame)} == {240, 360, 480}
