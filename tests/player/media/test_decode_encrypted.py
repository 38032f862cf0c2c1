"""Encrypted fragmented MP4 decodes to the frames of the clear original, or says which key it lacks."""

from __future__ import annotations

import pytest

from cushion_player.crypt import KeyRing
from cushion_player.errors import KeyUnavailable
from cushion_player.media.decode import Frame, TrackDecoder
from cushion_player.model import Container
from cushion_player.outputs import MediaFormat
from cushion_player.timeline import TrackKind
from tests.player.boxes_media import MadeTrack, make_audio, make_video
from tests.player.encrypting import KEY, KEY_ID, Recipe, encrypt_track

RECIPES = [
    Recipe("cenc"),
    Recipe("cenc", iv_size=16, auxiliary="saio"),
    Recipe("cbcs", iv_size=0, crypt=1, skip=9),
    Recipe("cbcs", iv_size=0, has_subsamples=False),
    Recipe("cens", crypt=1, skip=9),
    Recipe("cbc1", iv_size=16),
]


def decoded(
    track: MadeTrack, kind: TrackKind, keys: dict[bytes, bytes] | None = None
) -> list[tuple[int | None, bytes]]:
    """(time, what is seen or heard) of each frame; none of them damaged."""
    decoder = TrackDecoder(kind)
    frames: list[Frame] = []
    decoder.switch(MediaFormat(0, Container.MP4, track.init, keys=KeyRing(keys)))
    for segment in track.segments:
        frames += decoder.decode(segment, 0, 0)
    frames += decoder.drain()
    assert decoder.corrupt == 0
    return [(frame.pts, frame.to_ndarray().tobytes()) for frame in frames]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: f"{recipe.scheme} {recipe.auxiliary} {recipe.iv_size}")
@pytest.mark.parametrize("kind", [TrackKind.VIDEO, TrackKind.AUDIO])
def test_encrypted_frames_are_those_of_the_clear_original(recipe: Recipe, kind: TrackKind) -> None:
    track = make_video(segments=2, frames=20) if kind is TrackKind.VIDEO else make_audio(segments=2, seconds=1)

    frames = decoded(encrypt_track(track, recipe), kind, {KEY_ID: KEY})

    assert frames == decoded(track, kind)
    assert len(frames) >= 40


def test_keys_may_change_with_the_format_in_mid_stream() -> None:
    track = make_video(segments=2, frames=20)
    other = Recipe("cbcs", iv_size=0, crypt=1, skip=9, key=bytes(range(16)), key_id=bytes(16))
    decoder = TrackDecoder(TrackKind.VIDEO)
    frames: list[Frame] = []

    for index, recipe in enumerate((Recipe("cenc"), other)):
        encrypted = encrypt_track(track, recipe)
        frames += decoder.drain()
        decoder.switch(MediaFormat(0, Container.MP4, encrypted.init, keys=KeyRing({recipe.key_id: recipe.key})))
        frames += decoder.decode(encrypted.segments[index], 0, 0)
    frames += decoder.drain()

    assert [(frame.pts, frame.to_ndarray().tobytes()) for frame in frames] == decoded(track, TrackKind.VIDEO)


def test_a_key_that_is_not_there_is_named() -> None:
    track = make_video(segments=2, frames=20)
    decoder = TrackDecoder(TrackKind.VIDEO)
    decoder.switch(MediaFormat(0, Container.MP4, encrypt_track(track, Recipe("cenc")).init))

    with pytest.raises(KeyUnavailable, match=f"no key for key id {KEY_ID.hex()}"):
        list(decoder.decode(encrypt_track(track, Recipe("cenc")).segments[0], 0, 0))
