"""Segments as HLS encrypts them: whole by AES, judged by openssl; by samples, judged by what decoders make of them."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cushion_player.crypt import decrypt_segment
from cushion_player.crypt.sample_aes import decrypt_h264
from cushion_player.errors import DecodeError, KeyUnavailable, MediaError
from cushion_player.model import Key
from tests.player.encrypting import KEY
from tests.player.sample_aes_media import IV, crc, encrypt_unit, escape, packed_audio, transport_stream

LONG_KEY = KEY + KEY[::-1]
SAMPLE_AES = Key("SAMPLE-AES", iv=IV)


def openssl(cipher: str, key: bytes, iv: bytes, data: bytes) -> bytes:
    command = ["openssl", "enc", "-e", f"-{cipher}", "-K", key.hex(), "-iv", iv.hex()]
    return subprocess.run(command, input=data, capture_output=True, check=True, timeout=60).stdout


def frames(data: bytes) -> list[str]:
    """A hash of each frame that decodes; none of them damaged."""
    found: list[str] = []
    with av.open(io.BytesIO(data), "r") as container:
        for frame in container.decode(container.streams[0]):
            assert isinstance(frame, av.VideoFrame | av.AudioFrame)
            assert not frame.is_corrupt
            found.append(hashlib.md5(frame.to_ndarray().tobytes()).hexdigest())
    return found


# --------------------------------------------------------------------------- whole segments


@pytest.mark.engine("openssl")
@pytest.mark.parametrize(
    ("method", "cipher", "key"), [("AES-128", "aes-128-cbc", KEY), ("AES-256", "aes-256-cbc", LONG_KEY)]
)
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 1000])
def test_what_openssl_encrypted_is_deciphered(method: str, cipher: str, key: bytes, size: int) -> None:
    clear = bytes(range(256)) * 4
    encrypted = openssl(cipher, key, IV, clear[:size])

    assert decrypt_segment(Key(method, iv=IV), key, encrypted, 7) == clear[:size]


@pytest.mark.engine("openssl")
def test_sequence_number_is_the_vector_where_none_is_given() -> None:
    number = 2**40 + 5
    encrypted = openssl("aes-128-cbc", KEY, number.to_bytes(16, "big"), b"a segment")

    assert decrypt_segment(Key("AES-128"), KEY, encrypted, number) == b"a segment"


def test_wrong_key_is_a_decode_error() -> None:
    with pytest.raises(DecodeError, match="segment 3 does not decipher to anything padded"):
        decrypt_segment(Key("AES-128", iv=IV), KEY, b"sixteen bytes! \1", 3)


@pytest.mark.parametrize("size", [0, 1, 17, 100])
def test_truncated_segment_is_a_decode_error(size: int) -> None:
    with pytest.raises(DecodeError, match="no whole number of blocks"):
        decrypt_segment(Key("AES-128", iv=IV), KEY, bytes(size), 3)


@pytest.mark.parametrize(("method", "key"), [("AES-128", KEY[:15]), ("AES-256", KEY), ("SAMPLE-AES", b"")])
def test_key_of_another_length_is_refused(method: str, key: bytes) -> None:
    with pytest.raises(KeyUnavailable, match=f"the key of segment 3 has {len(key)} bytes"):
        decrypt_segment(Key(method, iv=IV), key, bytes(16), 3)


def test_unknown_method_is_refused_by_name() -> None:
    with pytest.raises(KeyUnavailable, match="segment 3 is encrypted by ROT13, which is not supported"):
        decrypt_segment(Key("ROT13"), KEY, b"", 3)


def test_no_method_leaves_the_segment_alone() -> None:
    assert decrypt_segment(Key("NONE"), b"", b"as it is", 3) == b"as it is"


# --------------------------------------------------------------------------- by samples


@pytest.mark.parametrize("codec", ["h264", "aac", "ac3", "eac3"])
def test_transport_stream_is_deciphered_to_the_same_frames(codec: str) -> None:
    pair = transport_stream(codec)

    made = decrypt_segment(SAMPLE_AES, KEY, pair.encrypted, 1)

    assert len(made) == len(pair.encrypted)
    assert frames(made) == frames(pair.clear)
    assert len(frames(pair.clear)) >= 24


@pytest.mark.parametrize("codec", ["aac", "ac3", "eac3"])
def test_sound_is_restored_to_the_byte(codec: str) -> None:
    for pair in (transport_stream(codec), packed_audio(codec)):
        assert pair.encrypted != pair.clear
        assert decrypt_segment(SAMPLE_AES, KEY, pair.encrypted, 1) == pair.clear


def test_program_map_of_the_result_is_that_of_a_clear_stream() -> None:
    pair = transport_stream("h264")

    made = decrypt_segment(SAMPLE_AES, KEY, pair.encrypted, 1)

    maps = [made[at : at + 188] for at in range(0, len(made), 188) if made[at + 5] == 2 and made[at + 1] & 0x40]
    originals = [pair.clear[at : at + 188] for at in range(0, len(pair.clear), 188)]
    assert maps
    assert all(any(found[4:] == original[4:] for original in originals) for found in maps)


def test_our_own_checksum_is_the_published_one() -> None:
    assert crc(b"123456789") == 0x0376E6E7  # the check value of CRC-32/MPEG-2 in the catalogue of CRC algorithms


@settings(deadline=None)
@given(
    kind=st.sampled_from([1, 5, 7]),
    body=st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 4, 255]), min_size=0, max_size=700).map(bytes),
)
def test_units_full_of_emulation_prevention_are_restored(kind: int, body: bytes) -> None:
    unit = escape(bytes([0x60 | kind]) + body + b"\x80")
    stream = b"\0\0\0\1" + encrypt_unit(unit) + b"\0\0\1\x09\xf0"

    clear = decrypt_h264(stream, KEY, IV)

    assert len(clear) == len(stream)
    assert re.split(b"\0+\0\0\1|\0\0\1", clear) == [b"", unit, b"\x09\xf0"]


def test_fragmented_mp4_is_left_to_its_sample_decryptor() -> None:
    for start in (b"\0\0\0\x10styp", b"\0\0\0\x10moof", b"\0\0\0\x10ftyp"):
        for method in ("SAMPLE-AES", "SAMPLE-AES-CTR"):
            assert decrypt_segment(Key(method, iv=IV), KEY, start + bytes(8), 1) == start + bytes(8)


def test_media_of_no_kind_that_is_encrypted_so_is_a_decode_error() -> None:
    for data in (b"", b"WEBVTT\n\n", b"ID3", b"<html>"):
        with pytest.raises(DecodeError, match="segment 9 is none of the media"):
            decrypt_segment(SAMPLE_AES, KEY, data, 9)


@settings(deadline=None)
@given(data=st.data())
def test_damaged_stream_gives_a_result_of_its_length_or_a_media_error(data: st.DataObject) -> None:
    codec = data.draw(st.sampled_from(["h264", "aac", "ac3", "eac3"]))
    is_packed = codec != "h264" and data.draw(st.booleans())
    pair = packed_audio(codec) if is_packed else transport_stream(codec)
    damaged = bytearray(pair.encrypted)
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, min(len(damaged), 2000) - 1))
        damaged[at] = data.draw(st.sampled_from([0, 1, 0x0B, 0x47, 0x77, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    cut = bytes(damaged[: data.draw(st.integers(0, len(damaged)))])

    try:
        assert len(decrypt_segment(SAMPLE_AES, KEY, cut, 1)) == len(cut)
    except MediaError:
        pass
