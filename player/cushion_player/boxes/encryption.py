"""How a track's samples are encrypted: the facts of an initialisation segment and of sample groups.

Sources: ISO/IEC 14496-12 8.12 (sinf, frma, schm), ISO/IEC 23001-7 (tenc, the four schemes, sample group `seig`).
No cipher runs here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from cushion_player.boxes.cursor import Box, children, need, printable, version_and_flags, walk, word
from cushion_player.errors import DecodeError, UnsupportedCodec

SCHEMES = ("cenc", "cbc1", "cens", "cbcs")
KEY_ID_BYTES = 16
MAX_GROUPS = 65_536
"""Sample groups are numbered by 16 bits, and those of a fragment begin above them."""


class SampleCipher(NamedTuple):
    """What samples are encrypted with, when nothing else is said of them (23001-7 8.2)."""

    scheme: str
    """`cenc`, `cbc1`, `cens` or `cbcs`."""
    is_protected: bool
    key_id: bytes
    """16 bytes; never secret."""
    iv_size: int
    """Bytes of each sample's own initialisation vector: 8, 16, or 0 when there is one for all."""
    constant_iv: bytes
    """8 or 16 bytes when iv_size is 0; else b""."""
    crypt_blocks: int
    """Of each pattern, blocks of 16 bytes that are encrypted; 0 with skip_blocks 0: no pattern, all are."""
    skip_blocks: int


class SampleEncryption(NamedTuple):
    """How one sample is encrypted."""

    cipher: SampleCipher
    iv: bytes
    subsamples: tuple[tuple[int, int], ...]
    """(clear bytes, encrypted bytes), one after the other; () when the whole sample is encrypted."""


@dataclass(frozen=True, slots=True)
class TrackEncryption:
    """The encryption of one sample entry.

    groups: ciphers of the track's sample groups (`seig`), which fragments call 1, 2, …
    default_group: the group of samples that no fragment puts into one; 0: they have `cipher`.
    """

    cipher: SampleCipher
    groups: tuple[SampleCipher, ...] = ()
    default_group: int = 0


def read_protection(view: memoryview, entry: Box, skip: int) -> tuple[bytes, TrackEncryption]:
    """The entry type it would have in the clear, and the encryption, of an encrypted sample entry.

    skip: bytes of the entry's own fields, before its boxes.
    Raises UnsupportedCodec when no scheme of ours is offered, DecodeError when the boxes are damaged.
    """
    offered: list[str] = []
    for sinf in walk(view, entry.payload + skip, entry.end):
        if sinf.kind != b"sinf":
            continue
        parts = children(view, sinf)
        frma = need(parts, b"frma", sinf)
        schm = parts.get(b"schm")
        scheme = "" if schm is None else printable(_code(view, schm, 4))
        if scheme not in SCHEMES:
            offered.append(repr(scheme))
            continue
        schi = need(parts, b"schi", sinf)
        tenc = need(children(view, schi), b"tenc", schi)
        return _code(view, frma, 0), TrackEncryption(_read_tenc(view, tenc, scheme))
    if not offered:
        raise DecodeError(f"{entry} has no protection scheme (box 'sinf')")
    raise UnsupportedCodec(f"the track is encrypted by scheme {', '.join(offered)}, which is not supported")


def with_groups(
    encryptions: Sequence[TrackEncryption | None], view: memoryview, stbl: Box
) -> tuple[TrackEncryption | None, ...]:
    """The encryptions with the sample groups of the track's sample table, if it has any."""
    sgpd = next((box for box in walk(view, stbl.payload, stbl.end) if box.kind == b"sgpd" and is_seig(view, box)), None)
    if sgpd is None:
        return tuple(encryptions)
    read: dict[str, tuple[tuple[SampleCipher, ...], int]] = {}
    found: list[TrackEncryption | None] = []
    for encryption in encryptions:
        if encryption is not None:
            scheme = encryption.cipher.scheme
            if scheme not in read:
                read[scheme] = read_groups(view, sgpd, scheme)
            groups, default = read[scheme]
            found.append(replace(encryption, groups=groups, default_group=default))
        else:
            found.append(None)
    return tuple(found)


def is_seig(view: memoryview, box: Box) -> bool:
    """Whether a sgpd or sbgp box is about encryption."""
    return _code(view, box, 4) == b"seig"


def read_groups(view: memoryview, sgpd: Box, scheme: str) -> tuple[tuple[SampleCipher, ...], int]:
    """The ciphers of a group description box, and which (from 1) is the default of samples in no group."""
    version, _ = version_and_flags(view, sgpd)
    at = sgpd.payload + 8
    length = default = 0
    if version >= 1:
        length = word(view, at, sgpd)
        at += 4
    if version >= 2:
        default = word(view, at, sgpd)
        at += 4
    count = word(view, at, sgpd)
    at += 4
    if count > MAX_GROUPS:
        raise DecodeError(f"{sgpd} claims {count} groups; more than {MAX_GROUPS} is nonsense")
    groups: list[SampleCipher] = []
    for _ in range(count):
        size = length
        if version >= 1 and not length:
            size = word(view, at, sgpd)
            at += 4
        end = at + size if version >= 1 else sgpd.end
        cipher, used = _read_cipher(view, at, min(end, sgpd.end), sgpd, scheme)
        groups.append(cipher)
        at = end if version >= 1 else used
    return tuple(groups), default


def _read_tenc(view: memoryview, tenc: Box, scheme: str) -> SampleCipher:
    version, _ = version_and_flags(view, tenc)
    cipher, _ = _read_cipher(view, tenc.payload + 4, tenc.end, tenc, scheme)
    return cipher if version else cipher._replace(crypt_blocks=0, skip_blocks=0)


def _read_cipher(view: memoryview, at: int, end: int, box: Box, scheme: str) -> tuple[SampleCipher, int]:
    """The fields that tenc and seig share, and where they end."""
    body = bytes(view[at : min(end, at + 4 + KEY_ID_BYTES + 1 + 255)])
    if len(body) < 4 + KEY_ID_BYTES:
        raise DecodeError(f"{box} is too short for an encryption at byte {at}")
    _, pattern, is_protected, iv_size = body[:4]
    key_id = body[4 : 4 + KEY_ID_BYTES]
    used = 4 + KEY_ID_BYTES
    if iv_size not in (0, 8, 16):
        raise DecodeError(f"{box} has initialisation vectors of {iv_size} bytes; only 0, 8 and 16 are defined")
    constant_iv = b""
    if is_protected and not iv_size:
        size = body[used] if used < len(body) else 0
        constant_iv = body[used + 1 : used + 1 + size]
        used += 1 + size
        if size not in (8, 16) or len(constant_iv) < size:
            raise DecodeError(f"{box} has neither vectors for its samples nor a constant one of 8 or 16 bytes")
    cipher = SampleCipher(scheme, bool(is_protected), key_id, iv_size, constant_iv, pattern >> 4, pattern & 15)
    return cipher, at + used


def _code(view: memoryview, box: Box, skip: int) -> bytes:
    """A four-character code inside a box."""
    return word(view, box.payload + skip, box).to_bytes(4, "big")
