"""Damaged and invented boxes at every reader: a result or a MediaError, in bounded time and memory."""

from __future__ import annotations

import struct
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cushion_player.boxes import (
    ChunkScanner,
    InitInfo,
    read_event_messages,
    read_init,
    read_producer_times,
    read_protection_headers,
    read_rotated_key_ids,
    read_segment,
    read_sidx,
    read_tracks,
)
from cushion_player.crypt import SampleDecryptor
from cushion_player.crypt.keyring import ANY_KEY_ID
from cushion_player.errors import MediaError
from tests.player.boxes_media import make_audio, make_video
from tests.player.boxes_writing import CONTAINERS, box, full, split, words
from tests.player.encrypting import KEY, KEY_ID, Recipe, add_to_fragment, cipher_fields, encrypt_init, encrypt_track

RECIPES = [
    Recipe("cenc"),
    Recipe("cenc", auxiliary="saio"),
    Recipe("cbcs", iv_size=0, crypt=1, skip=9),
    Recipe("cens", iv_size=16, crypt=2, skip=1),
    Recipe("cbc1", iv_size=16),
]
TRACKS = [
    *(encrypt_track(make_video(segments=1, frames=10), recipe) for recipe in RECIPES),
    *(encrypt_track(make_audio(segments=1, seconds=1), recipe) for recipe in RECIPES[:3]),
]
INITS = [read_init(track.init) for track in TRACKS]
READERS: tuple[Callable[[bytes], object], ...] = (
    *(read_init, read_tracks, read_sidx, read_event_messages, read_producer_times),
    *(read_protection_headers, read_rotated_key_ids),
)
DECRYPTOR = SampleDecryptor({ANY_KEY_ID: KEY})
KINDS = [
    *(b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"moof", b"traf", b"tfhd", b"tfdt", b"trun", b"mdat"),
    *(b"senc", b"saiz", b"saio", b"sgpd", b"sbgp", b"pssh", b"emsg", b"prft", b"sidx", b"styp", b"encv", b"enca"),
    *(b"sinf", b"frma", b"schm", b"schi", b"tenc", b"wvtt", b"stpp", b"hdlr", b"mdhd", b"tkhd", b"mvex", b"trex"),
]
SEIG = full(b"sgpd", 1, 0, b"seig", words(20, 1), cipher_fields(Recipe("cenc")))
SBGP = full(b"sbgp", 0, 0, b"seig", words(2, 5, 65537, 5, 0))


def examine(data: bytes, init: InitInfo) -> None:
    """Put `data` to every reader, and decipher what is found."""
    for read in READERS:
        with suppress(MediaError):
            read(data)
    with suppress(MediaError):
        read_init(data, "text")
    with suppress(MediaError):
        found = read_segment(data, init)
        assert len(found.encryption) in (0, len(found.samples))
        for sample, encryption in zip(found.samples, found.encryption, strict=False):
            if encryption is not None:
                coded = data[sample.offset : sample.offset + sample.size]
                with suppress(MediaError):
                    assert len(DECRYPTOR.decrypt(coded, encryption)) == sample.size
    scanner = ChunkScanner(init)
    with suppress(MediaError):
        ends = [chunk.end for size in range(0, len(data), 397) for chunk in scanner.scan(data[:size])]
        ends += [chunk.end for chunk in scanner.finish(data)]
        assert ends == sorted(set(ends))


values = st.sampled_from([0, 1, 2, 8, 16, 0x7F, 0x80, 0xFF]) | st.integers(0, 255)


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_damaged_bytes(data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(TRACKS) - 1))
    track = TRACKS[number]
    damaged = bytearray(data.draw(st.sampled_from([track.init, track.segments[0]])))
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, min(len(damaged), 1400) - 1))] = data.draw(values)
    cut = data.draw(st.none() | st.integers(0, len(damaged)))

    examine(bytes(damaged[:cut]), INITS[number])


ACTIONS = [*["keep"] * 5, "drop", "double", "rename", "word"]


def altered(data: st.DataObject, boxes: bytes, depth: int = 0) -> bytes:
    """The boxes with some left out, doubled, renamed, swapped, or their fields changed."""
    made: list[bytes] = []
    for kind, body in split(boxes):
        inner = altered(data, body, depth + 1) if kind in CONTAINERS and depth < 6 else body
        action = data.draw(
            st.sampled_from([*["keep", "keep", "keep", "keep", "keep", "drop", "double", "rename", "word"]])
        )
        if action == "word" and len(inner) >= 4:
            at = 4 * data.draw(st.integers(0, min(len(inner), 120) // 4 - 1))
            word = data.draw(st.sampled_from([0, 1, 2, 65537, 2**31, 2**32 - 1]) | st.integers(0, 2**32 - 1))
            inner = inner[:at] + struct.pack(">I", word) + inner[at + 4 :]
        if action == "rename":
            kind = data.draw(st.sampled_from(KINDS))
        made += [] if action == "drop" else [box(kind, inner)] * (2 if action == "double" else 1)
    is_grown: bool = data.draw(st.booleans())
    if made and is_grown:
        made.insert(data.draw(st.integers(0, len(made))), data.draw(st.sampled_from([SEIG, SBGP, *made])))
    return b"".join(made)


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_altered_structure(data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(TRACKS) - 1))
    track = TRACKS[number]

    made = altered(data, data.draw(st.sampled_from([track.init, track.segments[0]])))

    examine(made, INITS[number])


def nested(kind: bytes, head: bytes, parts: list[bytes]) -> bytes:
    return box(kind, head, *parts)


trees = st.recursive(
    st.builds(box, st.sampled_from(KINDS), st.binary(max_size=48)),
    lambda inner: st.builds(
        nested,
        st.sampled_from(KINDS),
        st.sampled_from([b"", bytes(4), bytes(8), bytes(78), bytes(28)]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)


@settings(max_examples=120, deadline=None)
@given(parts=st.lists(trees, max_size=5), number=st.integers(0, len(TRACKS) - 1))
def test_invented_boxes(parts: list[bytes], number: int) -> None:
    examine(b"".join(parts), INITS[number])


# --------------------------------------------------------------------------- what would be dear

MEGABYTE = 1 << 20
HEAD = full(b"tfhd", 0, 0x020010, words(1, 0)) + full(b"tfdt", 0, 0, words(0))
INIT = INITS[0]
CONSTANT = INITS[2]


def traf(*parts: bytes) -> bytes:
    return box(b"moof", box(b"traf", HEAD, *parts))


def overlapping() -> bytes:
    """Runs of one sample each, all of them the same megabyte."""
    run = full(b"trun", 0, 0x201, words(1, 0, MEGABYTE // 2))
    return traf(run * (MEGABYTE // 2 // len(run))) + box(b"mdat", bytes(MEGABYTE // 2))


def groups() -> bytes:
    descriptions = cipher_fields(Recipe("cenc")) * 50_000
    sgpd = full(b"sgpd", 1, 0, b"seig", words(20, 50_000), descriptions)
    return traf(sgpd, full(b"trun", 0, 0, words(1)), full(b"senc", 0, 0, words(1), bytes(8)))


def init_of_many_entries() -> bytes:
    init = encrypt_init(make_video(segments=1, frames=10).init, Recipe("cenc"))
    sgpd = full(b"sgpd", 1, 0, b"seig", words(20, 40_000), cipher_fields(Recipe("cenc")) * 40_000)

    def grow(data: bytes) -> bytes:
        made: list[bytes] = []
        for kind, body in split(data):
            if kind == b"stsd":
                body = body[:8] + body[8:] * 200
            elif kind == b"stbl":
                body = grow(body) + sgpd
            elif kind in CONTAINERS:
                body = grow(body)
            made.append(box(kind, body))
        return b"".join(made)

    return grow(init)


DEAR: dict[str, Callable[[], tuple[bytes, InitInfo]]] = {
    "overlapping samples": lambda: (overlapping(), CONSTANT),
    "60,000 samples of a constant vector": lambda: (traf(full(b"trun", 0, 0, words(60_000))), CONSTANT),
    "vectors of 40,000 empty samples": lambda: (
        traf(full(b"trun", 0, 0, words(40_000)), full(b"senc", 0, 0, words(40_000), bytes(8 * 40_000))),
        INIT,
    ),
    "subsamples all over": lambda: (
        traf(
            full(b"trun", 0, 0, words(16)),
            full(b"senc", 0, 2, words(16), (bytes(8) + b"\x28\x00" + bytes(6 * 0x2800)) * 16),
        ),
        INIT,
    ),
    "auxiliary information claimed many times": lambda: (
        traf(
            full(b"trun", 0, 0, words(10)) * 9_000,
            full(b"saiz", 0, 0, b"\xf8", words(90_000)),
            full(b"saio", 0, 0, words(9_000), words(0) * 9_000),
        )
        + box(b"mdat", bytes(MEGABYTE // 2)),
        INIT,
    ),
    "50,000 groups": lambda: (groups(), INIT),
    "many entries with many groups": lambda: (init_of_many_entries(), INIT),
    "tiny boxes": lambda: (box(b"free") * (MEGABYTE // 8), INIT),
    "events": lambda: (full(b"emsg", 0, 0, b"\0\0", words(1, 1, 1, 1)) * (MEGABYTE // 30), INIT),
    "protection headers": lambda: (full(b"pssh", 0, 0, bytes(16), words(0)) * (MEGABYTE // 32), INIT),
    "groups of no sample": lambda: (
        traf(full(b"trun", 0, 0, words(1)), full(b"sbgp", 0, 0, b"seig", words(130_000), bytes(MEGABYTE - 64))),
        INIT,
    ),
}


@pytest.mark.parametrize("name", DEAR)
def test_a_megabyte_costs_little_whatever_it_says(name: str) -> None:
    data, init = DEAR[name]()
    assert len(data) < 2 * MEGABYTE

    started_s = time.process_time()
    for read in READERS:
        with suppress(MediaError):
            read(data)
    with suppress(MediaError):
        found = read_segment(data, init)
        for sample, encryption in zip(found.samples, found.encryption, strict=False):
            if encryption is not None:
                DECRYPTOR.decrypt(data[sample.offset : sample.offset + sample.size], encryption)
    scanner = ChunkScanner(init)
    with suppress(MediaError):
        for size in range(0, len(data), MEGABYTE // 64):
            scanner.scan(memoryview(data)[:size])
    assert time.process_time() - started_s < 3.0


@pytest.mark.parametrize("name", ["subsamples all over", "auxiliary information claimed many times", "50,000 groups"])
def test_a_megabyte_takes_no_more_memory_than_a_hundred(name: str) -> None:
    data, init = DEAR[name]()

    tracemalloc.start()
    try:
        with suppress(MediaError):
            read_segment(data, init)
        assert tracemalloc.get_traced_memory()[1] < 100 * MEGABYTE
    finally:
        tracemalloc.stop()


def test_the_examples_are_what_they_say() -> None:
    """The fuzzers start from media that truly decodes, with a group of samples that is truly read."""
    for track, init in zip(TRACKS, INITS, strict=True):
        found = read_segment(track.segments[0], init)
        assert all(part is not None for part in found.encryption)
        assert len(found.encryption) == len(found.samples) >= 10
    (_, moof), (_, mdat) = [pair for pair in split(TRACKS[0].segments[0]) if pair[0] in (b"moof", b"mdat")]
    grouped = add_to_fragment(box(b"moof", moof), SEIG + SBGP) + box(b"mdat", mdat)
    assert {part.cipher.key_id for part in read_segment(grouped, INIT).encryption if part} == {KEY_ID}
