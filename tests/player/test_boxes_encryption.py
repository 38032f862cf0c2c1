"""What boxes say about encryption: entries, sample groups (key rotation), auxiliary information, protection headers."""

from __future__ import annotations

import struct
from uuid import UUID

import pytest

from cushion_player.boxes import InitInfo, read_init, read_protection_headers, read_rotated_key_ids, read_segment
from cushion_player.boxes.pssh import CLEARKEY_SYSTEM
from cushion_player.errors import DecodeError, UnsupportedCodec
from tests.player.boxes_media import make_audio, make_video
from tests.player.boxes_writing import box, full, rewrite, split, words
from tests.player.encrypting import KEY_ID, Recipe, add_to_fragment, cipher_fields, encrypt_init, encrypt_track, sinf

CENC = Recipe("cenc")
OTHER = Recipe("cenc", key_id=bytes(range(16)))
CLEAR = bytes([0, 0, 0, 0]) + bytes(16)


def encrypted_init(recipe: Recipe = CENC) -> InitInfo:
    return read_init(encrypt_init(make_video(segments=1, frames=8).init, recipe))


def fragment(*boxes: bytes) -> bytes:
    """The clear segment of eight samples, with boxes put into its traf."""
    segment = make_video(segments=1, frames=8).segments[0]
    (_, moof), (_, mdat) = split(segment)
    return add_to_fragment(box(b"moof", moof), b"".join(boxes)) + box(b"mdat", mdat)


def seig(*descriptions: bytes, version: int = 1, default: int = 0) -> bytes:
    """sgpd of grouping type seig."""
    lengths = [words(len(text)) if version else b"" for text in descriptions]
    head = (words(0) if version else b"") + (words(default) if version == 2 else b"")
    body = b"".join(length + text for length, text in zip(lengths, descriptions, strict=True))
    return full(b"sgpd", version, 0, b"seig", head, words(len(descriptions)), body)


def sbgp(*runs: tuple[int, int]) -> bytes:
    return full(b"sbgp", 0, 0, b"seig", words(len(runs)), b"".join(words(*run) for run in runs))


def senc(*entries: bytes, flags: int = 0) -> bytes:
    return full(b"senc", 0, flags, words(len(entries)), *entries)


def vector(number: int) -> bytes:
    return struct.pack(">Q", number)


EIGHT = [vector(number) for number in range(8)]

# --------------------------------------------------------------------------- entries


def test_audio_entry_is_unwrapped() -> None:
    track = encrypt_track(make_audio(segments=1, seconds=1), Recipe("cbcs", iv_size=0, has_subsamples=False))

    info = read_init(track.init)

    assert (info.codec_string, info.sample_rate_hz, info.channels) == ("mp4a.40.2", 48000, 2)
    assert info.encryption is not None
    assert len(info.encryption.cipher.constant_iv) == 16


def test_a_scheme_of_ours_is_found_among_others() -> None:
    foreign = box(b"sinf", box(b"frma", b"avc1"), full(b"schm", 0, 0, b"piff", words(1)))

    def grow(kind: bytes, body: bytes) -> bytes:
        if kind != b"stsd":
            return box(kind, body)
        ((entry_kind, entry),) = split(body[8:])
        return box(kind, body[:8], box(entry_kind, entry[:78], foreign, entry[78:]))

    info = read_init(rewrite(encrypt_init(make_video().init, CENC), grow))

    assert info.encryption is not None
    assert info.encryption.cipher.scheme == "cenc"


def test_unknown_scheme_is_unsupported() -> None:
    init = encrypt_init(make_video().init, CENC).replace(b"cenc", b"piff")

    with pytest.raises(UnsupportedCodec, match="encrypted by scheme 'piff', which is not supported"):
        read_init(init)


PROTECTED = b"\x01\x08" + KEY_ID
"""In tenc: protected, with vectors of 8 bytes."""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"sinf", b"free", "has no protection scheme"),
        (b"tenc", b"free", "has no 'tenc' inside"),
        (b"schi", b"free", "has no 'schi' inside"),
        (PROTECTED, b"\x01\x07" + KEY_ID, "vectors of 7 bytes"),
        (PROTECTED, b"\x01\x00" + KEY_ID, "neither vectors"),
    ],
)
def test_damaged_encryption_names_the_box(old: bytes, new: bytes, message: str) -> None:
    init = encrypt_init(make_video().init, CENC).replace(old, new)

    with pytest.raises(DecodeError, match=rf"box '\w+' at byte \d+ .*{message}"):
        read_init(init)


def test_entry_in_the_clear_beside_an_encrypted_one_is_chosen_by_the_fragment() -> None:
    clear_init = make_video(segments=1, frames=8).init

    def two_entries(kind: bytes, body: bytes) -> bytes:
        if kind != b"stsd":
            return box(kind, body)
        ((entry_kind, entry),) = split(body[8:])
        encrypted = box(b"encv", entry, sinf(CENC, entry_kind))
        return box(kind, body[:4], words(2), encrypted, box(entry_kind, entry))

    def of_entry(index: int) -> bytes:
        def change(kind: bytes, body: bytes) -> bytes:
            if kind == b"tfhd":
                flags = int.from_bytes(body[1:4], "big") | 2
                return box(kind, body[:1], flags.to_bytes(3, "big"), body[4:8], words(index), body[8:])
            if kind == b"trun":
                return box(kind, body[:8], words(int.from_bytes(body[8:12], "big") + 4), body[12:])
            return box(kind, body)

        return rewrite(fragment(senc(*EIGHT)), change)

    init = read_init(rewrite(clear_init, two_entries))

    assert [found is not None for found in init.encryptions] == [True, False]
    assert not read_segment(of_entry(2), init).encryption
    assert [found is not None for found in read_segment(of_entry(1), init).encryption] == [True] * 8
    both = read_segment(of_entry(2) + of_entry(1), init).encryption
    assert [found is not None for found in both] == [False] * 8 + [True] * 8
    with pytest.raises(DecodeError, match="of description 3, but there are 2"):
        read_segment(of_entry(3), init)


# --------------------------------------------------------------------------- groups of samples


def test_key_rotation_inside_a_fragment() -> None:
    groups = seig(cipher_fields(OTHER), CLEAR)
    data = fragment(groups, sbgp((2, 65537), (3, 65538), (1, 0)), senc(*[*EIGHT[:2], b"", b"", b"", *EIGHT[5:]]))

    found = read_segment(data, encrypted_init()).encryption

    keys = [part.cipher.key_id if part else None for part in found]
    assert keys == [OTHER.key_id] * 2 + [None] * 3 + [KEY_ID] * 3
    assert [part.iv for part in found if part] == [*EIGHT[:2], *EIGHT[5:]]


def test_key_ids_that_a_segment_brings_are_told_without_its_initialisation_segment() -> None:
    one, other = fragment(seig(cipher_fields(OTHER), CLEAR)), fragment(seig(cipher_fields(CENC), cipher_fields(OTHER)))

    assert read_rotated_key_ids(one + other) == (OTHER.key_id, KEY_ID)
    assert read_rotated_key_ids(fragment(sbgp((8, 1)))) == ()
    with pytest.raises(DecodeError):
        read_rotated_key_ids(one[:-1])


def test_groups_of_the_track_are_called_from_one() -> None:
    init_bytes = encrypt_init(make_video(segments=1, frames=8).init, CENC)

    def with_sgpd(kind: bytes, body: bytes) -> bytes:
        return box(kind, body, seig(cipher_fields(OTHER), version=0) if kind == b"stbl" else b"")

    init = read_init(rewrite(init_bytes, with_sgpd))
    found = read_segment(fragment(sbgp((4, 1)), senc(*EIGHT)), init).encryption

    assert [part.cipher.key_id if part else None for part in found] == [OTHER.key_id] * 4 + [KEY_ID] * 4


def test_a_default_group_is_for_samples_in_no_group() -> None:
    data = fragment(seig(cipher_fields(OTHER), version=2, default=1), senc(*EIGHT))

    found = read_segment(data, encrypted_init()).encryption

    assert {part.cipher.key_id if part else None for part in found} == {OTHER.key_id}


def test_group_that_nothing_describes_is_a_decode_error() -> None:
    with pytest.raises(DecodeError, match="into group 65537, which nothing describes"):
        read_segment(fragment(sbgp((8, 65537)), senc(*EIGHT)), encrypted_init())


# --------------------------------------------------------------------------- vectors and subsamples


def test_encrypted_samples_without_vectors_are_a_decode_error() -> None:
    with pytest.raises(DecodeError, match="encrypted samples without their vectors"):
        read_segment(fragment(), encrypted_init())


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ([senc(*EIGHT[:7])], "about 7 samples, but the fragment has 8"),
        ([senc(*EIGHT[:7], b"\0\0")], "truncated inside a vector"),
        ([senc(*EIGHT[:7], EIGHT[7], flags=2)], "truncated"),
        ([senc(*[EIGHT[0] + b"\xff\xff"] * 8, flags=2)], "truncated inside the subsamples"),
        ([full(b"saiz", 0, 0, b"\x08", words(8)), full(b"saio", 0, 0, words(1, 10**6))], "outside the segment"),
        ([full(b"saiz", 0, 0, b"\x08", words(8)), full(b"saio", 0, 0, words(3, 0, 0, 0))], "3 offsets for 1 runs"),
        ([full(b"saiz", 0, 0, b"\x08", words(9)), full(b"saio", 0, 0, words(1, 0))], "about 9 samples"),
        ([full(b"saiz", 0, 0, b"\0", words(8), b"\x08"), full(b"saio", 0, 0, words(1, 0))], "claims 8 sizes"),
        ([full(b"saiz", 0, 0, b"\x08", words(8)), full(b"saio", 0, 0, words(4, 0))], "claims 4 offsets"),
    ],
)
def test_damaged_auxiliary_information_names_the_box(boxes: list[bytes], message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        read_segment(fragment(*boxes), encrypted_init())


def test_offsets_of_another_type_are_passed_over() -> None:
    other = full(b"saiz", 0, 1, b"else", words(0), b"\x01", words(8)) + full(b"saio", 0, 1, b"else", words(0, 1, 0))

    found = read_segment(fragment(other, senc(*EIGHT)), encrypted_init()).encryption

    assert [part.iv for part in found if part] == EIGHT


def test_one_offset_for_each_run_in_64_bits() -> None:
    sizes = full(b"saiz", 0, 0, b"\x08", words(3))
    head = full(b"tfhd", 0, 0x020010, words(1, 0)) + full(b"tfdt", 0, 0, words(0))
    runs = full(b"trun", 0, 0, words(2)) + full(b"trun", 0, 0, words(1))
    start = len(box(b"moof", box(b"traf", head, runs, sizes, full(b"saio", 1, 0, words(2), bytes(16))))) + 8
    offsets = full(b"saio", 1, 0, words(2), struct.pack(">QQ", start + 16, start))
    data = box(b"moof", box(b"traf", head, runs, sizes, offsets)) + box(b"free", *EIGHT)

    found = read_segment(data, encrypted_init()).encryption

    assert [part.iv for part in found if part] == [EIGHT[2], EIGHT[3], EIGHT[0]]


# --------------------------------------------------------------------------- protection headers

WIDEVINE = UUID("edef8ba9-79d6-4ace-a3c8-27dcd51d21ed")


def pssh(system: UUID, data: bytes, key_ids: list[bytes] | None = None) -> bytes:
    listed = b"" if key_ids is None else words(len(key_ids)) + b"".join(key_ids)
    return full(b"pssh", 0 if key_ids is None else 1, 0, system.bytes, listed, words(len(data)), data)


def test_protection_headers_of_both_versions_are_read_wherever_they_stand() -> None:
    old, new = pssh(WIDEVINE, b"opaque"), pssh(CLEARKEY_SYSTEM, b"", [KEY_ID, OTHER.key_id])

    for data in (old + new, box(b"moov", old, new), box(b"moof", old) + box(b"moof", new), box(b"free") + old + new):
        first, second = read_protection_headers(data)

        assert (first.system, first.key_ids, first.data, first.box) == (WIDEVINE, (), b"opaque", old)
        assert (second.system, second.key_ids, second.data) == (CLEARKEY_SYSTEM, (KEY_ID, OTHER.key_id), b"")


@pytest.mark.parametrize("cut", range(1, 70, 7))
def test_protection_header_that_lies_about_its_length_is_a_decode_error(cut: int) -> None:
    whole = pssh(CLEARKEY_SYSTEM, b"x" * 8, [KEY_ID, OTHER.key_id])
    ((_, body),) = split(whole)

    with pytest.raises(DecodeError):
        read_protection_headers(box(b"pssh", body[:-cut]))
