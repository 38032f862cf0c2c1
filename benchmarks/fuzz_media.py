"""Bytes at the box readers and the deciphering, guided by coverage (atheris): no exception but ours, none too dear.

    python -m benchmarks.fuzz_media SECONDS

An input is a byte that chooses a seed's initialisation segment, and a segment. It goes to every reader of boxes, is
deciphered where it says that it is encrypted, and as an HLS segment by each method.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from importlib import import_module
from typing import Any

from benchmarks.fuzzing import fuzz
from tests.player.boxes_media import make_audio, make_video
from tests.player.encrypting import KEY, Recipe, encrypt_track
from tests.player.sample_aes_media import IV, packed_audio, transport_stream

atheris: Any = import_module("atheris")  # not installed everywhere, and without types

with atheris.instrument_imports(include=["cushion_player.boxes", "cushion_player.crypt"]):
    from cushion_player import boxes
    from cushion_player.boxes import ChunkScanner, read_init, read_segment
    from cushion_player.crypt import SampleDecryptor, decrypt_segment
    from cushion_player.crypt.keyring import ANY_KEY_ID
    from cushion_player.errors import MediaError
    from cushion_player.model import Key

MAX_INPUT_BYTES = 24 * 1024
DEAR_S = 1.0
"""CPU time that no input of MAX_INPUT_BYTES may take; instrumentation makes the readers some ten times slower."""
RECIPES = (
    Recipe("cenc"),
    Recipe("cenc", auxiliary="saio"),
    Recipe("cbcs", iv_size=0, crypt=1, skip=9),
    Recipe("cens", iv_size=16, crypt=2, skip=1),
    Recipe("cbc1", iv_size=16, has_subsamples=False),
)
CLEAR = (make_video(segments=1, frames=6), make_audio(segments=1, seconds=1))
TRACKS = (*CLEAR, *(encrypt_track(track, recipe) for track in CLEAR for recipe in RECIPES))
INITS = tuple(read_init(track.init) for track in TRACKS)
DECRYPTOR = SampleDecryptor({ANY_KEY_ID: KEY})
KINDS = "moov trak stsd moof traf tfhd tfdt trun mdat senc saiz saio sgpd sbgp seig pssh emsg prft sidx sinf schm tenc"


def one_input(data: bytes) -> None:
    started_s = time.process_time()
    examine(data[1:], INITS[data[0] % len(INITS)] if data else INITS[0])
    taken_s = time.process_time() - started_s
    assert taken_s < DEAR_S, f"{len(data)} bytes took {taken_s:.2f} s"


def examine(data: bytes, init: boxes.InitInfo) -> None:
    """Everything that can be done with it; only a MediaError may come of it."""
    for read in (
        *(read_init, boxes.read_tracks, boxes.read_sidx),
        *(boxes.read_event_messages, boxes.read_producer_times, boxes.read_protection_headers),
    ):
        with suppress(MediaError):
            read(data)
    with suppress(MediaError):
        found = read_segment(data, init)
        for sample, encryption in zip(found.samples, found.encryption, strict=False):
            if encryption is not None:
                clear = DECRYPTOR.decrypt(data[sample.offset : sample.offset + sample.size], encryption)
                assert len(clear) == sample.size
    scanner = ChunkScanner(init)
    with suppress(MediaError):
        for size in (len(data) // 3, len(data) // 2, len(data)):
            scanner.scan(data[:size])
        scanner.finish(data)
    for method in ("AES-128", "SAMPLE-AES"):
        with suppress(MediaError):
            decrypt_segment(Key(method, iv=IV), KEY, data, 1)


def seeds() -> list[bytes]:
    made = [bytes([index]) + part for index, track in enumerate(TRACKS) for part in (track.init, track.segments[0])]
    made += [b"\0" + transport_stream(codec).encrypted for codec in ("h264", "aac", "ac3", "eac3")]
    made += [b"\0" + packed_audio(codec).encrypted for codec in ("aac", "ac3", "eac3")]
    return [seed[:MAX_INPUT_BYTES] for seed in made]


def main(seconds: int) -> None:
    """Never returns: the fuzzer ends the process, with status 0 when nothing broke."""
    fuzz(one_input, seconds, seeds=seeds(), words=KINDS, max_input_bytes=MAX_INPUT_BYTES, artifacts="media-")


if __name__ == "__main__":
    main(int(sys.argv[1]))
