"""Bytes at the readers of subtitles and captions, guided by coverage (atheris): no exception but ours, none too dear.

    python -m benchmarks.fuzz_text SECONDS

An input is a byte that chooses what it is taken for: a file, a segment of MP4, or coded pictures with captions.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.fuzzing import fuzz
from tests.player.text.caption_encoder import (
    EOC,
    command,
    define_window,
    dtvcc_packet,
    length_prefixed,
    on_field,
    pop_on,
    sei_unit,
    service_block,
)
from tests.player.text.mp4_text import stpp_entry, text_init, text_segment, vttc, wvtt_entry

atheris: Any = import_module("atheris")  # not installed everywhere, and without types

with atheris.instrument_imports(include=["cushion_player.text"]):
    from cushion_player.errors import MediaError
    from cushion_player.text import (
        SERVICES,
        CaptionDecoder,
        Cue,
        CueList,
        NalCodec,
        ThumbnailIndex,
        from_packet,
        read_srt,
        read_subtitles,
        read_text_init,
        read_text_segment,
        read_ttml,
        read_vtt,
    )

MAX_INPUT_BYTES = 16 * 1024
DEAR_S = 2.0
"""CPU time that no input of MAX_INPUT_BYTES may take; instrumentation makes the readers some ten times slower."""
GOLDEN = Path(__file__).parents[1] / "tests" / "golden" / "text"
INITS = tuple(read_text_init(text_init(entry)) for entry in (wvtt_entry(), stpp_entry()))
WORDS = """
    WEBVTT STYLE REGION NOTE --> ::cue( X-TIMESTAMP-MAP= line: region: position: <ruby> <rt> <c. <v &amp; 00:01.000 <tt
    <body> <p begin= end= dur= timeContainer=seq style= region= tts:color= tts:ruby= <span <br/> <font color= payl sttg
    vttc iden moof trun mdat GA94
"""


def one_input(data: bytes) -> None:
    started_s = time.process_time()
    with suppress(MediaError):
        examine(data[0] % 6 if data else 0, data[1:])
    taken_s = time.process_time() - started_s
    assert taken_s < DEAR_S, f"{len(data)} bytes took {taken_s:.2f} s"


def examine(kind: int, data: bytes) -> None:
    match kind:
        case 0:
            check(read_subtitles(data))
        case 1:
            check(read_vtt(b"WEBVTT\n\n" + data).cues)
            ThumbnailIndex.of_vtt(b"WEBVTT\n\n" + data, "https://example.com/").at(1_000_000)
        case 2:
            check(read_ttml(data))
        case 3:
            check(read_srt(data))
        case 4:
            for init in INITS:
                with suppress(MediaError):
                    check(tuple(read_text_segment(data, init, 0)))
            read_text_init(data)
        case _:
            for length_bytes in (0, 4):
                found = from_packet(data, NalCodec.H264, length_bytes)
                for service in SERVICES:
                    decoder = CaptionDecoder(service)
                    for at, triple in enumerate(found):
                        decoder.feed(at * 33_333, [triple])


def check(cues: tuple[Cue, ...]) -> None:
    """They last, come in order, and a list takes them."""
    starts = [cue.start_us for cue in cues]
    assert starts == sorted(starts)
    assert len(CueList(cues)) <= len(cues)


def seeds() -> list[bytes]:
    pages = {name: (GOLDEN / name).read_bytes() for name in ("full.vtt", "full.srt", "full.ttml")}
    triples = on_field([*pop_on(15, "Hello"), *command(EOC)])
    window = dtvcc_packet([service_block(1, define_window(0) + b"Hello\rthere")])
    return [
        *[b"\0" + page for page in pages.values()],
        b"\1" + pages["full.vtt"],
        b"\2" + pages["full.ttml"],
        b"\3" + pages["full.srt"],
        b"\4" + text_segment(0, [(1000, vttc("a<b>b", settings="line:1", name="x"))]),
        b"\4" + text_segment(0, [(9000, pages["full.ttml"])]),
        b"\4" + text_init(wvtt_entry("WEBVTT\n\nSTYLE\n::cue { color: red }")),
        b"\5" + length_prefixed([sei_unit(triples), sei_unit(window)]),
    ]


def main(seconds: int) -> None:
    """Never returns: the fuzzer ends the process, with status 0 when nothing broke."""
    fuzz(one_input, seconds, seeds=seeds(), words=WORDS, max_input_bytes=MAX_INPUT_BYTES, artifacts="text-")


if __name__ == "__main__":
    main(int(sys.argv[1]))
