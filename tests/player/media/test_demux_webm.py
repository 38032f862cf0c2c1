"""WebM clusters, whole, in part and damaged."""

from __future__ import annotations

import numpy as np
import pytest

from cushion_player.errors import DecodeError, MediaError, UnsupportedCodec
from cushion_player.media.demux.webm import WebmDemuxer
from cushion_player.timeline import TrackKind
from tests.player.media.samples import webm

V, A = TrackKind.VIDEO, TrackKind.AUDIO


@pytest.fixture(scope="module")
def vp9() -> tuple[bytes, list[bytes]]:
    return webm("libvpx-vp9")


def test_clusters_give_their_frames_and_which_of_them_are_keys(vp9: tuple[bytes, list[bytes]]) -> None:
    demuxer = WebmDemuxer(V, vp9[0])

    stretches = [demuxer.read(cluster, 0) for cluster in vp9[1]]

    assert [len(stretch.frames) for stretch in stretches] == [30, 30]
    assert [stretch.frames[0].is_sync for stretch in stretches] == [True, True]
    assert sum(frame.is_sync for stretch in stretches for frame in stretch.frames) == 2
    assert stretches[1].frames[0].pts_us == 1_000_000
    assert (stretches[0].config.codec, stretches[0].config.width_px) == ("vp9", 426)


def test_a_cluster_in_pieces_is_the_same(vp9: tuple[bytes, list[bytes]]) -> None:
    whole = WebmDemuxer(V, vp9[0]).read(vp9[1][1], 0).frames
    demuxer = WebmDemuxer(V, vp9[0])
    cluster = vp9[1][1]
    cut = cluster.index(bytes(whole[10].data)) + len(whole[10].data)

    pieces = [*demuxer.read(cluster[:cut], 0).frames, *demuxer.read(cluster[cut:], 0).frames]

    assert [(bytes(frame.data), frame.pts_us) for frame in pieces] == [
        (bytes(frame.data), frame.pts_us) for frame in whole
    ]


def test_clusters_of_unknown_size_end_where_the_next_begins(vp9: tuple[bytes, list[bytes]]) -> None:
    def opened(cluster: bytes) -> bytes:
        length = 9 - cluster[4].bit_length()
        return cluster[:4] + b"\x01" + b"\xff" * 7 + cluster[4 + length :]

    stretch = WebmDemuxer(V, vp9[0]).read(opened(vp9[1][0]) + opened(vp9[1][1]), 0)

    assert [frame.pts_us for frame in stretch.frames][::15] == [0, 500_000, 1_000_000, 1_500_000]


def test_a_truncated_cluster_gives_its_whole_frames(vp9: tuple[bytes, list[bytes]]) -> None:
    stretch = WebmDemuxer(V, vp9[0]).read(vp9[1][0][: len(vp9[1][0]) // 2], 0)

    assert 1 < len(stretch.frames) < 30
    assert "truncated" in stretch.damage


def test_a_track_that_is_not_there_and_one_without_a_decoder_are_named(vp9: tuple[bytes, list[bytes]]) -> None:
    with pytest.raises(DecodeError, match="no audio track"):
        WebmDemuxer(A, vp9[0])
    with pytest.raises(UnsupportedCodec, match="V_XX9"):
        WebmDemuxer(V, vp9[0].replace(b"V_VP9", b"V_XX9"))


@pytest.mark.parametrize("junk", [b"", b"<html>not media</html>", bytes(100)])
def test_an_unreadable_initialisation_segment_is_an_error(junk: bytes) -> None:
    with pytest.raises(DecodeError):
        WebmDemuxer(V, junk)


def test_damaged_bytes_raise_nothing_but_media_errors(vp9: tuple[bytes, list[bytes]]) -> None:
    rng = np.random.default_rng(4)
    init, clusters = vp9

    for _ in range(150):
        data = bytearray(init + clusters[0][:3000])
        for _ in range(int(rng.integers(1, 12))):
            data[int(rng.integers(0, len(data)))] = int(rng.integers(0, 256))
        try:
            stretch = WebmDemuxer(V, bytes(data[: len(init)])).read(bytes(data[len(init) :]), 0)
        except MediaError:
            continue
        assert all(len(frame.data) <= len(data) for frame in stretch.frames)
