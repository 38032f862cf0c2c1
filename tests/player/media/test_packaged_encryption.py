"""What Shaka Packager encrypted decodes to the frames of what it left in the clear, every one of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks.encrypted import KEY, KEY_ID, PackagerMissing, init, package, packager, segments, vector
from cushion_player.boxes import read_init, read_segment
from cushion_player.crypt import KeyRing, decrypt_segment
from cushion_player.errors import KeyUnavailable
from cushion_player.key_requests import COMMON, keys_needed
from cushion_player.manifest import read
from cushion_player.media.decode import Frame, TrackDecoder
from cushion_player.media.film import read_frame_code
from cushion_player.model import Container, Key
from cushion_player.outputs import MediaFormat
from cushion_player.timeline import TrackKind
from tests.player.media.film_ladder import FilmLadder

KINDS = [(TrackKind.VIDEO, "video"), (TrackKind.AUDIO, "audio")]
SCHEMES = ["cenc", "cbcs", "cens", "cbc1"]


@pytest.fixture(scope="module")
def source(ladder: FilmLadder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The film's lowest rung and its sound, as files."""
    try:
        packager()
    except PackagerMissing as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("source")
    (folder / "video.mp4").write_bytes(ladder.inits[0] + b"".join(ladder.segments[0]))
    (folder / "audio.mp4").write_bytes(ladder.audio_init + b"".join(ladder.audio_segments))
    return {name: folder / f"{name}.mp4" for name in ("video", "audio")}


@pytest.fixture(scope="module")
def clear(source: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What is seen and heard of what was packaged in the clear."""
    folder = tmp_path_factory.mktemp("clear")
    for name, path in source.items():
        package(path, folder, segment_s=1, streams=(name,))
    return {name: looks(decode_mp4(folder, kind, name)) for kind, name in KINDS}


def decode_mp4(folder: Path, kind: TrackKind, name: str, keys: dict[bytes, bytes] | None = None) -> list[Frame]:
    media_format = MediaFormat(0, Container.MP4, init(folder, name), keys=KeyRing(keys))
    return decode(media_format, kind, segments(folder, name))


def decode(media_format: MediaFormat, kind: TrackKind, pieces: list[bytes]) -> list[Frame]:
    decoder = TrackDecoder(kind)
    decoder.switch(media_format)
    frames: list[Frame] = []
    for number, piece in enumerate(pieces):
        frames += decoder.decode(piece, number * 1_000_000, 0)
    frames += decoder.drain()
    assert decoder.corrupt == 0
    return frames


def looks(frames: list[Frame]) -> list[str]:
    return [hashlib.md5(frame.to_ndarray().tobytes()).hexdigest() for frame in frames]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_common_encryption_decodes_to_the_clear_frames(
    scheme: str, source: dict[str, Path], clear: dict[str, list[str]], tmp_path: Path
) -> None:
    for kind, name in KINDS:
        package(source[name], tmp_path, scheme=scheme, segment_s=1, streams=(name,))

        found = read_init(init(tmp_path, name)).encryption
        frames = decode_mp4(tmp_path, kind, name, {KEY_ID: KEY})

        assert found is not None
        assert found.cipher.scheme == scheme
        assert looks(frames) == clear[name]
        if kind is TrackKind.VIDEO:
            assert [code(frame) for frame in frames] == list(range(180))


def code(frame: Frame) -> int | None:
    assert isinstance(frame, av.VideoFrame)
    return read_frame_code(frame.to_ndarray(format="gray8").astype(np.uint8))


def test_manifest_says_which_keys_are_needed(source: dict[str, Path], tmp_path: Path) -> None:
    options = ("--protection_systems", "CommonSystem")
    package(source["video"], tmp_path, scheme="cenc", segment_s=1, streams=("video",), options=options)
    presentation = read((tmp_path / "manifest.mpd").read_bytes(), "https://example.com/manifest.mpd").presentation
    (representation,) = presentation.periods[0].adaptation_sets[0].representations

    ways = keys_needed(representation.protections)

    assert [way.system for way in ways] == [COMMON]
    assert ways[0].key_ids == (KEY_ID,)
    assert ways[0].method == "cenc"


def test_lead_in_the_clear_plays_without_a_key(source: dict[str, Path], tmp_path: Path) -> None:
    package(source["video"], tmp_path, scheme="cbcs", segment_s=1, streams=("video",), options=("--clear_lead", "2"))
    media_format = MediaFormat(0, Container.MP4, init(tmp_path, "video"))
    pieces = segments(tmp_path, "video")

    assert len(decode(media_format, TrackKind.VIDEO, pieces[:2])) == 60
    with pytest.raises(KeyUnavailable, match=KEY_ID.hex()):
        decode(media_format, TrackKind.VIDEO, pieces[2:3])
    assert len(decode_mp4(tmp_path, TrackKind.VIDEO, "video", {KEY_ID: KEY})) == 180


def test_keys_rotate_inside_one_track(source: dict[str, Path], clear: dict[str, list[str]], tmp_path: Path) -> None:
    options = ("--crypto_period_duration", "2")
    package(source["video"], tmp_path, scheme="cenc", segment_s=1, streams=("video",), options=options)
    track = read_init(init(tmp_path, "video"))
    pieces = segments(tmp_path, "video")
    named = [
        {part.cipher.key_id for part in read_segment(piece, track).encryption if part is not None} for piece in pieces
    ]
    key_ids = list(dict.fromkeys(key_id for found in named for key_id in found))

    # The packager turns key id and key by one byte a period when it is given one of each.
    keys = {turned(KEY_ID, number): turned(KEY, number) for number in range(16)}
    frames = decode_mp4(tmp_path, TrackKind.VIDEO, "video", keys)

    assert len(key_ids) == 3
    assert looks(frames) == clear["video"]


def turned(data: bytes, number: int) -> bytes:
    return data[number:] + data[:number]


def test_sample_aes_in_transport_stream_and_packed_audio_decodes_to_the_clear_frames(
    source: dict[str, Path], clear: dict[str, list[str]], tmp_path: Path
) -> None:
    for (kind, name), container in zip(KINDS, (Container.MPEG_TS, Container.PACKED_AUDIO), strict=True):
        package(source[name], tmp_path, scheme="cbcs", container="ts", segment_s=1, streams=(name,))
        key = Key("SAMPLE-AES", iv=vector(tmp_path, name))

        pieces = [decrypt_segment(key, KEY, data, number) for number, data in enumerate(segments(tmp_path, name))]
        frames = decode(MediaFormat(0, container, b""), kind, pieces)

        assert looks(frames) == clear[name]
