"""The key frame of a thumbnail, out of whole media or the beginning of it."""

from __future__ import annotations

import io

import av
import pytest

from cushion_player.errors import DecodeError
from cushion_player.media.decode import TrackDecoder
from cushion_player.media.film import read_frame_code
from cushion_player.media.pixels import luma
from cushion_player.media.still import first_picture, still_png
from cushion_player.model import Container
from cushion_player.outputs import MediaFormat, VideoFrame
from cushion_player.timeline import TrackKind
from tests.player.media.film_ladder import FilmLadder
from tests.player.media.samples import encode_video, ts_segments


def key_frame_only(segment: bytes) -> bytes:
    """The fragment's head and its first sample: what an I-frame playlist's byte range covers."""
    moof = int.from_bytes(segment[:4], "big")
    assert segment[moof + 4 : moof + 8] == b"mdat"
    return segment[: moof + 8 + (len(segment) - moof) * 2 // 3]


@pytest.mark.parametrize("is_cut", [False, True])
def test_the_first_picture_is_the_key_frame_also_when_the_rest_is_missing(ladder: FilmLadder, *, is_cut: bool) -> None:
    segment = ladder.segments[0][2]

    frame = first_picture(
        MediaFormat(0, Container.MP4, ladder.inits[0]), key_frame_only(segment) if is_cut else segment
    )

    assert read_frame_code(luma(frame)) == 2 * ladder.spec.nominal_fps


def test_a_transport_stream_needs_no_initialisation() -> None:
    frame = first_picture(MediaFormat(0, Container.MPEG_TS, b""), ts_segments(encode_video("libx264"))[1])

    assert read_frame_code(luma(frame)) == 30


def test_a_still_is_an_image_of_the_wanted_height(ladder: FilmLadder) -> None:
    data = still_png(MediaFormat(0, Container.MP4, ladder.inits[2]), ladder.segments[2][0], 180)

    with av.open(io.BytesIO(data), "r") as image:
        (picture,) = image.decode(video=0)
    assert (picture.width, picture.height) == (320, 180)
    grey = picture.to_ndarray(format="gray8")
    assert int(grey.max()) - int(grey.min()) > 150, "it is a picture"


def test_media_without_a_picture_is_an_error(ladder: FilmLadder) -> None:
    with pytest.raises(DecodeError):
        still_png(MediaFormat(0, Container.MP4, ladder.inits[0]), b"\0\0\0\x08free", 180)


@pytest.mark.parametrize("is_cut", [False, True])
def test_of_media_with_key_frames_only_the_first_picture_stands_for_the_whole_segment(
    ladder: FilmLadder, *, is_cut: bool
) -> None:
    decoder = TrackDecoder(TrackKind.VIDEO)
    decoder.switch(MediaFormat(0, Container.MP4, ladder.inits[0], has_key_frames_only=True))
    for index in (4, 2):
        segment = ladder.segments[0][index]
        start_us = index * 1_000_000

        frames = list(decoder.decode(key_frame_only(segment) if is_cut else segment, start_us, 0, span_us=1_000_000))

        assert [(frame.pts, frame.duration) for frame in frames] == [(start_us, 1_000_000)]
        assert decoder.damage == "", "that it is cut off is no damage"
        assert isinstance(frames[0], av.VideoFrame)
        picture = VideoFrame(0, 0, frames[0].width, frames[0].height, 0, frames[0])
        assert read_frame_code(luma(picture)) == index * ladder.spec.nominal_fps
