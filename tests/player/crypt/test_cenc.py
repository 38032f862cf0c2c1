"""Common Encryption against a reference written by the letter of the standard, and against ffmpeg."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cushion_player.boxes import SampleCipher, SampleEncryption, read_init, read_segment
from cushion_player.crypt import KeyRing, SampleDecryptor
from cushion_player.crypt.keyring import ANY_KEY_ID
from cushion_player.errors import DecodeError, KeyUnavailable
from tests.player.boxes_media import MadeTrack, make_audio, make_video
from tests.player.encrypting import KEY, KEY_ID, Recipe, encrypt_track

RECIPES = {
    "cenc": Recipe("cenc"),
    "cenc, 16-byte vectors": Recipe("cenc", iv_size=16),
    "cenc, whole samples": Recipe("cenc", has_subsamples=False),
    "cenc, senc alone": Recipe("cenc", auxiliary="senc"),
    "cenc, no senc": Recipe("cenc", auxiliary="saio"),
    "cens, 1 of 10": Recipe("cens", crypt=1, skip=9),
    "cens, 5 of 10": Recipe("cens", iv_size=16, crypt=5, skip=5),
    "cbc1": Recipe("cbc1", iv_size=16),
    "cbc1, whole samples": Recipe("cbc1", iv_size=16, has_subsamples=False),
    "cbcs, 1 of 10": Recipe("cbcs", iv_size=0, crypt=1, skip=9),
    "cbcs, no senc": Recipe("cbcs", iv_size=0, crypt=1, skip=9, auxiliary="saio"),
    "cbcs, 3 of 5": Recipe("cbcs", iv_size=0, crypt=3, skip=2),
    "cbcs, whole samples": Recipe("cbcs", iv_size=0, has_subsamples=False),
    "cbcs, vector for each sample": Recipe("cbcs", iv_size=16, crypt=1, skip=9),
}
FFMPEG_KNOWS = [name for name, recipe in RECIPES.items() if recipe.auxiliary != "saio"]


def samples_of(track: MadeTrack, keys: dict[bytes, bytes] | None = None) -> list[bytes]:
    """Every sample of the track, deciphered where it is encrypted."""
    info = read_init(track.init)
    decryptor = SampleDecryptor(KeyRing(keys))
    found: list[bytes] = []
    for segment in track.segments:
        parts = read_segment(segment, info)
        for index, sample in enumerate(parts.samples):
            data = segment[sample.offset : sample.offset + sample.size]
            encryption = parts.encryption[index] if parts.encryption else None
            found.append(data if encryption is None else bytes(decryptor.decrypt(data, encryption)))
    return found


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
@pytest.mark.parametrize("kind", ["video", "audio"])
def test_what_the_reference_encrypted_is_deciphered(recipe: Recipe, kind: str) -> None:
    track = make_video(segments=2, frames=20) if kind == "video" else make_audio(segments=2, seconds=1)
    encrypted = encrypt_track(track, recipe)

    assert samples_of(encrypted, {KEY_ID: KEY}) == samples_of(track)
    assert samples_of(encrypted, {ANY_KEY_ID: KEY}) == samples_of(track)
    assert [a == b for a, b in zip(encrypted.segments, track.segments, strict=True)] == [False, False]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_the_codec_shows_through_the_encryption(recipe: Recipe) -> None:
    track = make_video(segments=2, frames=20)

    clear, encrypted = read_init(track.init), read_init(encrypt_track(track, recipe).init)

    assert replace(encrypted, encryptions=()) == clear
    assert encrypted.encryption is not None
    cipher = encrypted.encryption.cipher
    assert (cipher.scheme, cipher.key_id, cipher.iv_size) == (recipe.scheme, KEY_ID, recipe.iv_size)
    assert (cipher.crypt_blocks, cipher.skip_blocks) == (recipe.crypt, recipe.skip)


@pytest.mark.parametrize("codec", ["libx265", "libsvtav1", "libvpx-vp9", "aac", "libopus", "flac", "ac3", "eac3"])
def test_every_codec_is_deciphered(codec: str) -> None:
    is_video = codec.startswith("lib") and codec != "libopus"
    track = make_video(codec) if is_video else make_audio(codec)
    encrypted = encrypt_track(track, Recipe("cbcs", iv_size=0, crypt=1 if is_video else 0, skip=9 if is_video else 0))

    assert replace(read_init(encrypted.init), encryptions=()) == read_init(track.init)
    assert samples_of(encrypted, {KEY_ID: KEY}) == samples_of(track)


@pytest.mark.engine("ffmpeg")
@pytest.mark.parametrize("name", FFMPEG_KNOWS)
def test_ffmpeg_deciphers_the_reference_to_the_same_packets(name: str, tmp_path: Path) -> None:
    track = make_video(segments=1, frames=20)  # one fragment: ffmpeg 5.1 loses its place in those that follow
    encrypted = encrypt_track(track, RECIPES[name])
    hashes: list[str] = []
    for number, made in enumerate((track, encrypted)):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(made.init + b"".join(made.segments))
        reading = ["ffmpeg", "-v", "error", "-decryption_key", KEY.hex(), "-i", str(path)]
        command = [*reading, "-c", "copy", "-f", "framemd5", "-"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        hashes.append("\n".join(line for line in done.stdout.splitlines() if not line.startswith("#")))

    assert hashes[0].count("\n") == 19
    assert hashes[0] == hashes[1]


def test_counter_does_not_carry_into_the_upper_half() -> None:
    cipher = SampleCipher("cenc", True, KEY_ID, 16, b"", 0, 0)
    iv = b"\x01" * 8 + b"\xff" * 8
    decryptor = SampleDecryptor({KEY_ID: KEY})

    stream = bytes(decryptor.decrypt(bytes(48), SampleEncryption(cipher, iv, ())))
    wrapped = bytes(decryptor.decrypt(bytes(32), SampleEncryption(cipher, iv[:8] + bytes(8), ())))

    assert stream[16:] == wrapped


def test_missing_key_is_named_by_its_id() -> None:
    encrypted = encrypt_track(make_video(segments=1, frames=5), Recipe("cenc"))

    with pytest.raises(KeyUnavailable, match="no key for key id 00112233445566778899aabbccddeeff") as caught:
        samples_of(encrypted, {bytes(16): KEY})
    assert caught.value.code == "key"
    assert not caught.value.retryable


def test_subsamples_beyond_the_sample_are_a_decode_error() -> None:
    cipher = SampleCipher("cenc", True, KEY_ID, 8, b"", 0, 0)
    decryptor = SampleDecryptor({KEY_ID: KEY})

    for subsamples in [((4, 7),), ((4, 2), (3, 2)), ((11, 0), (0, 1))]:
        with pytest.raises(DecodeError, match="a sample of 10 bytes has subsamples of"):
            decryptor.decrypt(bytes(10), SampleEncryption(cipher, bytes(8), subsamples))


def test_samples_too_short_for_a_block_stay_as_they_are() -> None:
    for scheme in ("cbc1", "cbcs", "cens"):
        cipher = SampleCipher(scheme, True, KEY_ID, 16, b"", 1, 9 if scheme != "cbc1" else 0)

        assert SampleDecryptor({KEY_ID: KEY}).decrypt(b"short", SampleEncryption(cipher, bytes(16), ())) == b"short"
        assert SampleDecryptor({KEY_ID: KEY}).decrypt(b"", SampleEncryption(cipher, bytes(16), ())) == b""
