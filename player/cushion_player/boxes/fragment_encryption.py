"""Each sample's vector, subsamples and key in one track fragment: senc, or saiz with saio, and sample groups.

Source: ISO/IEC 23001-7 7 (auxiliary information, senc) and 14496-12 8.7.8, 8.7.9, 8.9.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, repeat
from struct import Struct, iter_unpack

from cushion_player.boxes.cursor import Box, printable, unpack, version_and_flags, walk, word
from cushion_player.boxes.encryption import (
    MAX_GROUPS,
    SCHEMES,
    SampleCipher,
    SampleEncryption,
    TrackEncryption,
    is_seig,
    read_groups,
)
from cushion_player.errors import DecodeError

_SUBSAMPLES = 0x000002
_TYPED = 0x000001
_COUNT = Struct(">H")
_SIZES_HEAD = Struct(">BI")
_SUBSAMPLE = ">HI"
_SUBSAMPLE_SIZE = 6


def read_fragment_encryption(
    data: memoryview, traf: Box, track: TrackEncryption, runs: Sequence[int], base: int
) -> list[SampleEncryption | None]:
    """The encryption of each sample of a track fragment, None for those in the clear.

    runs: how many samples each of its runs has. base: the fragment's base data offset in `data`.
    Raises DecodeError when the information is missing, cut off or contradicts itself.
    """
    found: dict[bytes, list[Box]] = {}
    for box in walk(data, traf.payload, traf.end):
        found.setdefault(box.kind, []).append(box)
    count = sum(runs)
    ciphers = _read_ciphers(data, found, track, count)
    sizes = _read_sizes(data, _first_of_ours(data, found.get(b"saiz", ())), count)
    senc = found.get(b"senc")
    if senc:
        return _read_senc(data, senc[0], ciphers, sizes)
    saio = _first_of_ours(data, found.get(b"saio", ()))
    if saio is not None and sizes is not None:
        return _read_auxiliary(data, saio, ciphers, sizes, runs, base)
    if any(cipher.is_protected and cipher.iv_size for cipher in ciphers):
        raise DecodeError(f"{traf} has encrypted samples without their vectors (box 'senc', or 'saiz' and 'saio')")
    return [SampleEncryption(cipher, cipher.constant_iv, ()) if cipher.is_protected else None for cipher in ciphers]


def read_rotated_key_ids(data: bytes | memoryview) -> tuple[bytes, ...]:
    """The key ids that a segment's fragments bring with them (groups `seig`): keys rotate without a new manifest.

    Raises DecodeError when a box is cut off.
    """
    view = memoryview(data)
    found: dict[bytes, None] = {}
    for moof in walk(view, 0, len(view)):
        if moof.kind != b"moof":
            continue
        for traf in walk(view, moof.payload, moof.end):
            if traf.kind != b"traf":
                continue
            for box in walk(view, traf.payload, traf.end):
                if box.kind == b"sgpd" and is_seig(view, box):
                    groups, _ = read_groups(view, box, "")
                    found.update((cipher.key_id, None) for cipher in groups if cipher.is_protected)
    return tuple(found)


# --------------------------------------------------------------------------- which cipher


def _read_ciphers(
    data: memoryview, found: dict[bytes, list[Box]], track: TrackEncryption, count: int
) -> Sequence[SampleCipher]:
    """The cipher of each sample: of the group a fragment puts it into (key rotation), else the track's."""
    scheme = track.cipher.scheme
    local: tuple[SampleCipher, ...] = ()
    default = track.default_group
    for box in found.get(b"sgpd", ()):
        if is_seig(data, box):
            local, local_default = read_groups(data, box, scheme)
            default = MAX_GROUPS + local_default if local_default else default
            break
    sbgp = next((box for box in found.get(b"sbgp", ()) if is_seig(data, box)), None)
    if sbgp is None:
        return [_group(track, local, default, None)] * count
    version, _ = version_and_flags(data, sbgp)
    at = sbgp.payload + (12 if version else 8)
    entries = word(data, at, sbgp)
    at += 4
    if at + 8 * entries > sbgp.end:
        raise DecodeError(f"{sbgp} claims {entries} entries, but is too short for them: it is truncated")
    ciphers: list[SampleCipher] = []
    for n_samples, index in iter_unpack(">II", data[at : at + 8 * entries]):
        cipher = _group(track, local, index or default, sbgp)
        ciphers.extend(repeat(cipher, min(n_samples, count - len(ciphers))))
    ciphers.extend(repeat(_group(track, local, default, sbgp), count - len(ciphers)))
    return ciphers


def _group(track: TrackEncryption, local: tuple[SampleCipher, ...], index: int, box: Box | None) -> SampleCipher:
    """Group `index`: 0 is none, beyond MAX_GROUPS it is the fragment's own (14496-12 8.9.4)."""
    if not index:
        return track.cipher
    groups, position = (local, index - MAX_GROUPS) if index > MAX_GROUPS else (track.groups, index)
    if position > len(groups):
        raise DecodeError(f"{box or 'the track'} puts samples into group {index}, which nothing describes")
    return groups[position - 1]


# --------------------------------------------------------------------------- vectors and subsamples


def _read_senc(
    data: memoryview, senc: Box, ciphers: Sequence[SampleCipher], sizes: bytes | None
) -> list[SampleEncryption | None]:
    _, flags = version_and_flags(data, senc)
    count = word(data, senc.payload + 4, senc)
    if count != len(ciphers):
        raise DecodeError(f"{senc} is about {count} samples, but the fragment has {len(ciphers)}")
    at = senc.payload + 8
    has_subsamples = bool(flags & _SUBSAMPLES)
    found: list[SampleEncryption | None] = []
    for index, cipher in enumerate(ciphers):
        if sizes is not None and not sizes[index]:
            found.append(SampleEncryption(cipher, cipher.constant_iv, ()) if cipher.is_protected else None)
            continue
        encryption, at = _read_one(data, at, senc.end, cipher, has_subsamples, senc)
        found.append(encryption)
    return found


def _read_auxiliary(
    data: memoryview, saio: Box, ciphers: Sequence[SampleCipher], sizes: bytes, runs: Sequence[int], base: int
) -> list[SampleEncryption | None]:
    """The same by sizes and offsets: one offset for all samples, or one for each run."""
    offsets = _read_offsets(data, saio)
    if len(offsets) not in (1, len(runs)):
        raise DecodeError(f"{saio} has {len(offsets)} offsets for {len(runs)} runs")
    if sum(sizes) > len(data):
        raise DecodeError(f"{saio}: more auxiliary information is claimed than there is data")
    found: list[SampleEncryption | None] = []
    samples = zip(ciphers, sizes, strict=True)
    for offset, n_samples in zip(offsets, runs if len(offsets) > 1 else [len(ciphers)], strict=True):
        at = base + offset
        for cipher, size in islice(samples, n_samples):
            if not 0 <= at <= at + size <= len(data):
                raise DecodeError(f"{saio} points at bytes {at} to {at + size}, outside the segment")
            if size:
                has_subsamples = size > cipher.iv_size
                encryption, _ = _read_one(data, at, at + size, cipher, has_subsamples, saio)
            else:
                encryption = SampleEncryption(cipher, cipher.constant_iv, ()) if cipher.is_protected else None
            found.append(encryption)
            at += size
    return found


def _read_one(
    data: memoryview, at: int, end: int, cipher: SampleCipher, has_subsamples: bool, box: Box
) -> tuple[SampleEncryption | None, int]:
    """One sample's entry at `at`, and where the next one begins."""
    iv_end = at + cipher.iv_size
    if iv_end > end:
        raise DecodeError(f"{box} is truncated inside a vector at byte {at}")
    iv = bytes(data[at:iv_end]) or cipher.constant_iv
    at = iv_end
    subsamples: tuple[tuple[int, int], ...] = ()
    if has_subsamples:
        if at + 2 > end:
            raise DecodeError(f"{box} is truncated at byte {at}")
        at += 2
        size = _SUBSAMPLE_SIZE * _COUNT.unpack_from(data, at - 2)[0]
        if at + size > end:
            raise DecodeError(f"{box} is truncated inside the subsamples at byte {at}")
        subsamples = tuple(iter_unpack(_SUBSAMPLE, data[at : at + size]))
        at += size
    if not cipher.is_protected:
        return None, at
    return SampleEncryption(cipher, iv, subsamples), at


def _read_sizes(data: memoryview, saiz: Box | None, count: int) -> bytes | None:
    """Bytes of auxiliary information of each sample; None when nothing tells."""
    if saiz is None:
        return None
    at = _after_type(data, saiz)
    default: int
    n_samples: int
    default, n_samples = unpack(_SIZES_HEAD, data, at, saiz)
    at += _SIZES_HEAD.size
    if n_samples > count:
        raise DecodeError(f"{saiz} is about {n_samples} samples, but the fragment has {count}")
    if default:
        sizes = bytes([default]) * n_samples
    else:
        sizes = bytes(data[at : min(at + n_samples, saiz.end)])
        if len(sizes) < n_samples:
            raise DecodeError(f"{saiz} claims {n_samples} sizes, but is too short for them: it is truncated")
    return sizes + bytes(count - n_samples)


def _read_offsets(data: memoryview, saio: Box) -> list[int]:
    version, _ = version_and_flags(data, saio)
    at = _after_type(data, saio)
    count = word(data, at, saio)
    at += 4
    layout = Struct(">Q" if version else ">I")
    if at + layout.size * count > saio.end:
        raise DecodeError(f"{saio} claims {count} offsets, but is too short for them: it is truncated")
    return [unpack(layout, data, at + layout.size * index, saio)[0] for index in range(count)]


def _after_type(data: memoryview, box: Box) -> int:
    _, flags = version_and_flags(data, box)
    return box.payload + 4 + (8 if flags & _TYPED else 0)


def _first_of_ours(data: memoryview, boxes: Sequence[Box]) -> Box | None:
    """The first saiz or saio that is about encryption: of one of our schemes, or of no stated type."""
    for box in boxes:
        _, flags = version_and_flags(data, box)
        if not flags & _TYPED or printable(word(data, box.payload + 4, box).to_bytes(4, "big")) in SCHEMES:
            return box
    return None
