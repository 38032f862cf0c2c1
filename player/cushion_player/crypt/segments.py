"""A segment as an HLS playlist says it is encrypted: whole by AES, or by samples.

Source: RFC 8216 4.3.2.4 and 5.2, draft-pantos-hls-rfc8216bis (AES-256, SAMPLE-AES-CTR).
"""

from __future__ import annotations

from typing import Final

from cushion_player.crypt.aes import BLOCK_BYTES, cbc_decrypt, without_padding
from cushion_player.crypt.sample_aes import decrypt_ac3, decrypt_adts
from cushion_player.crypt.transport_stream import decrypt_transport_stream, is_transport_stream
from cushion_player.errors import DecodeError, KeyUnavailable
from cushion_player.model import Key

KEY_SIZES: Final = {"AES-128": 16, "AES-256": 32, "SAMPLE-AES": 16, "SAMPLE-AES-CTR": 16}
"""Bytes of the key of each method."""
_BY_SAMPLES: Final = ("SAMPLE-AES", "SAMPLE-AES-CTR")


def decrypt_segment(key: Key, key_bytes: bytes, data: bytes, sequence_number: int) -> bytes:
    """A segment (or initialisation segment) in the clear, as far as that is to be done before it is demuxed.

    Fragmented MP4 by SAMPLE-AES comes back as it is: its samples are Common Encryption, for a SampleDecryptor.
    sequence_number: the media sequence number, which is the vector where the key has none.
    Raises KeyUnavailable when the key has another length or the method is not known, DecodeError when the data is cut
    off, is no media of the kinds that are encrypted so, or does not decipher to anything (a wrong key).
    """
    what = f"segment {sequence_number}"
    if key.method == "NONE" or is_left_to_samples(key, data):
        return data
    wanted = KEY_SIZES.get(key.method)
    if wanted is None:
        raise KeyUnavailable(f"{what} is encrypted by {key.method}, which is not supported")
    if len(key_bytes) != wanted:
        raise KeyUnavailable(f"the key of {what} has {len(key_bytes)} bytes; {key.method} has keys of {wanted}")
    iv = _vector(key, sequence_number)
    if key.method in _BY_SAMPLES:
        return _decrypt_samples(key.method, key_bytes, iv, data, what)
    return _decrypt_whole(key_bytes, iv, data, what)


def is_left_to_samples(key: Key, data: bytes) -> bool:
    """Whether decrypt_segment would leave `data` as it is: fragmented MP4, encrypted sample by sample."""
    return key.method in _BY_SAMPLES and data[4:8] in _MP4_BOXES


def _vector(key: Key, sequence_number: int) -> bytes:
    if key.iv is None:
        return (sequence_number % (1 << 128)).to_bytes(BLOCK_BYTES, "big")
    return key.iv.rjust(BLOCK_BYTES, b"\0")[-BLOCK_BYTES:]


def _decrypt_whole(key: bytes, iv: bytes, data: bytes, what: str) -> bytes:
    if not data or len(data) % BLOCK_BYTES:
        raise DecodeError(f"{what}: {len(data)} bytes are no whole number of blocks: it is truncated, or not encrypted")
    return without_padding(cbc_decrypt(key, iv, data), what)


def _decrypt_samples(method: str, key: bytes, iv: bytes, data: bytes, what: str) -> bytes:
    if method == "SAMPLE-AES":
        if is_transport_stream(data):
            return decrypt_transport_stream(data, key, iv)
        tag = _id3_size(data)
        head = data[tag : tag + 2]
        if len(head) == 2 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
            return data[:tag] + decrypt_adts(data[tag:], key, iv)
        if head == b"\x0b\x77":
            return data[:tag] + decrypt_ac3(data[tag:], key, iv)
    raise DecodeError(f"{what} is none of the media that {method} encrypts")


def _id3_size(data: bytes) -> int:
    """Bytes of the ID3 tags that packed audio begins with."""
    at = 0
    while data[at : at + 3] == b"ID3" and at + 10 <= len(data):
        size = 0
        for byte in data[at + 6 : at + 10]:
            size = size << 7 | byte & 0x7F
        at += 10 + size
    return at


_MP4_BOXES: Final = (b"ftyp", b"styp", b"moov", b"moof", b"sidx", b"prft", b"emsg", b"free", b"mdat")
