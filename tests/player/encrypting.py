"""Encrypts packaged media by the letter of ISO/IEC 23001-7: the reference that decryption is tested against.

Written block by block over plain AES, slow and without a thought for the code it tests.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from tests.player.boxes_media import MadeTrack
from tests.player.boxes_writing import box, full, rewrite, split, words

KEY = bytes.fromhex("0f0e0d0c0b0a09080706050403020100")
KEY_ID = bytes.fromhex("00112233445566778899aabbccddeeff")
CONSTANT_IV = bytes.fromhex("101112131415161718191a1b1c1d1e1f")
AUDIO_ENTRIES = (b"mp4a", b"Opus", b"fLaC", b"ac-3", b"ec-3")
Subsamples = list[tuple[int, int]]


@dataclass(frozen=True)
class Recipe:
    """How to encrypt. iv_size 0: CONSTANT_IV for all. auxiliary: `senc`, `saio`, or `both`."""

    scheme: str
    iv_size: int = 8
    crypt: int = 0
    skip: int = 0
    has_subsamples: bool = True
    auxiliary: str = "both"
    key: bytes = KEY
    key_id: bytes = KEY_ID

    def iv(self, number: int) -> bytes:
        """Of the sample of this number; the counter of the second comes near its end."""
        if not self.iv_size:
            return CONSTANT_IV
        low = (2**64 - 3 if number == 1 else 1000 * number).to_bytes(8, "big")
        return low if self.iv_size == 8 else b"\xff" * 8 + low

    def subsamples(self, number: int, size: int) -> Subsamples:
        """A different layout for each sample: one, several, some of them empty, some with a bit of a block left."""
        if not self.has_subsamples:
            return []
        clear = min(5 + number % 7, size)
        left = size - clear
        if self.scheme == "cbc1":  # encrypted parts are whole blocks
            whole = left // 16 * 16
            return [(clear, 16), (0, 0), (left % 16, whole - 16)] if whole else [(size, 0)]
        first = 16 + left // 3 // 16 * 16 + number % 16
        if number % 3 == 0 or left < first + 3:
            return [(clear, left)]
        return [(clear, first), (3, 0), (0, left - first - 3)]


def aes(key: bytes, block: bytes, *, decrypt: bool = False) -> bytes:
    cipher = Cipher(AES(key), ECB())
    context = cipher.decryptor() if decrypt else cipher.encryptor()
    return context.update(block)


def xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=False))


def encrypt_sample(recipe: Recipe, sample: bytes, iv: bytes, subsamples: Subsamples) -> bytes:
    """23001-7 9.4 to 9.7 and 10: which bytes, with what chained or counted."""
    layout = subsamples or [(0, len(sample))]
    counter, keystream, chain = iv.ljust(16, b"\0"), b"", iv.ljust(16, b"\0")
    out, at = b"", 0
    for clear, protected in layout:
        out += sample[at : at + clear]
        at += clear
        data, at = sample[at : at + protected], at + protected
        if recipe.scheme == "cbcs":
            chain = iv.ljust(16, b"\0")
        for index in range(0, len(data), 16):
            block = data[index : index + 16]
            period = recipe.crypt + recipe.skip or 1
            run_ends_at = 16 * (index // 16 // period * period + recipe.crypt)
            is_picked = not recipe.skip or index < run_ends_at <= len(data)  # a run cut short stays clear
            if recipe.scheme == "cenc":
                while len(keystream) < len(block):
                    keystream += aes(recipe.key, counter)
                    counter = next_counter(counter)
                out += xor(block, keystream)
                keystream = keystream[len(block) :]
            elif not is_picked or len(block) < 16:
                out += block
            elif recipe.scheme == "cens":
                out += xor(block, aes(recipe.key, counter))
                counter = next_counter(counter)
            else:
                chain = aes(recipe.key, xor(block, chain))
                out += chain
    return out + sample[at:]


def next_counter(counter: bytes) -> bytes:
    low = (int.from_bytes(counter[8:], "big") + 1) % 2**64
    return counter[:8] + low.to_bytes(8, "big")


def encrypt_track(track: MadeTrack, recipe: Recipe) -> MadeTrack:
    """The track as a packager would encrypt it: init with sinf, segments with their vectors."""
    number = 0
    segments: list[bytes] = []
    for segment in track.segments:
        encrypted, number = encrypt_segment(segment, recipe, number)
        segments.append(encrypted)
    return replace(track, init=encrypt_init(track.init, recipe), segments=tuple(segments))


def cipher_fields(recipe: Recipe) -> bytes:
    """What tenc and seig share."""
    constant = b"" if recipe.iv_size else bytes([len(CONSTANT_IV)]) + CONSTANT_IV
    return bytes([0, recipe.crypt << 4 | recipe.skip, 1, recipe.iv_size]) + recipe.key_id + constant


def sinf(recipe: Recipe, kind: bytes) -> bytes:
    schm = full(b"schm", 0, 0, recipe.scheme.encode(), words(0x10000))
    tenc = full(b"tenc", 1 if recipe.skip else 0, 0, cipher_fields(recipe))
    return box(b"sinf", box(b"frma", kind), schm, box(b"schi", tenc))


def encrypt_init(init: bytes, recipe: Recipe) -> bytes:
    def change(kind: bytes, body: bytes) -> bytes:
        if kind != b"stsd":
            return box(kind, body)
        ((entry_kind, entry),) = split(body[8:])
        encrypted = b"enca" if entry_kind in AUDIO_ENTRIES else b"encv"
        return box(kind, body[:8], box(encrypted, entry, sinf(recipe, entry_kind)))

    return rewrite(init, change)


def encrypt_segment(segment: bytes, recipe: Recipe, first: int = 0) -> tuple[bytes, int]:
    """One moof and mdat with one run; `first` numbers its first sample. Returns the number of the next, too."""
    (_, moof), (_, mdat) = [pair for pair in split(segment) if pair[0] in (b"moof", b"mdat")]
    sizes = sample_sizes(moof)
    entries: list[bytes] = []
    body, at = b"", 0
    for number, size in enumerate(sizes, first):
        sample, at = mdat[at : at + size], at + size
        subsamples = recipe.subsamples(number, size)
        iv = recipe.iv(number)
        body += encrypt_sample(recipe, sample, iv, subsamples)
        layout = b"".join(struct.pack(">HI", *pair) for pair in subsamples)
        listed = struct.pack(">H", len(subsamples)) + layout if recipe.has_subsamples else b""
        entries.append((iv if recipe.iv_size else b"") + listed)
    boxes = auxiliary_boxes(recipe, entries)
    made = add_to_fragment(box(b"moof", moof), boxes)
    if boxes and recipe.auxiliary == "saio":  # the vectors lie behind the samples, where only offsets lead
        made = made[:-4] + words(len(made) + 8 + len(body))
        body += b"".join(entries)
    elif boxes and recipe.auxiliary == "both":
        made = made[:-4] + words(made.index(b"senc") + 12)
    return made + box(b"mdat", body), first + len(sizes)


def auxiliary_boxes(recipe: Recipe, entries: list[bytes]) -> bytes:
    senc = full(b"senc", 0, 2 if recipe.has_subsamples else 0, words(len(entries)), *entries)
    sizes = bytes(len(entry) for entry in entries)
    if len(set(sizes)) == 1:
        saiz = full(b"saiz", 0, 0, sizes[:1], words(len(entries)))
    else:
        saiz = full(b"saiz", 0, 1, b"cenc", words(0), b"\0", words(len(entries)), sizes)
    saio = full(b"saio", 0, 0, words(1, 0))
    if not any(sizes):
        return b""
    return {"senc": senc, "saio": saiz + saio, "both": senc + saiz + saio}[recipe.auxiliary]


def add_to_fragment(moof: bytes, boxes: bytes) -> bytes:
    """A moof with `boxes` at the end of its one traf, and its run pointing that much farther."""

    def change(kind: bytes, body: bytes) -> bytes:
        if kind == b"trun":
            offset = int.from_bytes(body[8:12], "big") + len(boxes)
            body = body[:8] + words(offset) + body[12:]
        return box(kind, body, boxes if kind == b"traf" else b"")

    return rewrite(moof, change)


def sample_sizes(moof: bytes) -> list[int]:
    """From the one trun, or the default of its tfhd."""
    ((_, traf),) = [pair for pair in split(moof) if pair[0] == b"traf"]
    parts = dict(split(traf))
    trun, tfhd = parts[b"trun"], parts[b"tfhd"]
    flags, count = int.from_bytes(trun[1:4], "big"), int.from_bytes(trun[4:8], "big")
    at = 8 + 4 * bool(flags & 1) + 4 * bool(flags & 4)
    fields = [flag for flag in (0x100, 0x200, 0x400, 0x800) if flags & flag]
    if 0x200 not in fields:
        tfhd_flags = int.from_bytes(tfhd[1:4], "big")
        before = 8 * bool(tfhd_flags & 1) + 4 * bool(tfhd_flags & 2) + 4 * bool(tfhd_flags & 8)
        return [int.from_bytes(tfhd[8 + before : 12 + before], "big")] * count
    step, place = 4 * len(fields), 4 * fields.index(0x200)
    return [int.from_bytes(trun[at + step * i + place : at + step * i + place + 4], "big") for i in range(count)]
