"""What does reading subtitles cost, beside FFmpeg's readers, and looking for captions in pictures?"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from functools import partial

import av

from benchmarks.harness import Report, alternate, arguments, finish, ratio
from cushion_player.text import CueList, NalCodec, from_packet, read_srt, read_ttml, read_vtt
from tests.player.text.caption_encoder import length_prefixed, on_field, sei_unit

N_CUES = 2_000
STEP_MS = 3_600
"""Two hours in all."""
GOAL_MS = 50.0
N_PICTURES = 30 * 60


def cpu_ms(work: Callable[[], object]) -> float:
    """CPU milliseconds of one call."""
    started_s = time.process_time()
    work()
    return (time.process_time() - started_s) * 1000


def clock(time_ms: int, mark: str = ".") -> str:
    seconds, rest = divmod(time_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}{rest:03}"


def times(at: int, mark: str = ".") -> str:
    return f"{clock(at * STEP_MS, mark)} --> {clock(at * STEP_MS + 2500, mark)}"


def words(at: int) -> str:
    return f"Line number {at}\n<i>and</i> another"


def by_ffmpeg(form: str, data: bytes) -> int:
    """How many subtitles FFmpeg's C code finds and decodes, called through PyAV."""
    with av.open(io.BytesIO(data), "r", format=form) as container:
        return sum([len(packet.decode()) for packet in container.demux(container.streams.subtitles[0])])


def srt() -> str:
    return "".join([f"{at}\n{times(at, ',')}\n{words(at)}\n\n" for at in range(N_CUES)])


def vtt() -> str:
    return "WEBVTT\n\n" + "".join([f"{at}\n{times(at)} line:80%\n{words(at)}\n\n" for at in range(N_CUES)])


def ttml() -> str:
    paragraphs = "".join(
        f'<p xml:id="c{at}" begin="{clock(at * STEP_MS)}" end="{clock(at * STEP_MS + 2500)}">Line number {at}<br/>'
        '<span tts:fontStyle="italic">and</span> another</p>\n'
        for at in range(N_CUES)
    )
    return (
        '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling"><head><styling>'
        f'<style xml:id="s" tts:color="white"/></styling></head><body><div style="s">{paragraphs}</div></body></tt>'
    )


def against(name: str, form: str, data: bytes, ours: Callable[[bytes], object], pairs: int) -> Report:
    """Our reader beside FFmpeg's, on the same text."""
    report = Report(f"{name} of {N_CUES} cues over two hours ({len(data) // 1000} kB)")
    ours(data)
    assert by_ffmpeg(form, data) >= N_CUES
    mine, other = alternate(lambda: cpu_ms(lambda: ours(data)), lambda: cpu_ms(lambda: by_ffmpeg(form, data)), pairs)
    cost = report.add("ours (Python), CPU ms", mine, "ms")
    report.add("FFmpeg (C, through PyAV), CPU ms", other, "ms")
    report.rows.append(("ours over FFmpeg", ratio(mine, other), ""))
    report.judge(f"at most {GOAL_MS:g} ms", cost.median <= GOAL_MS)
    return report


def documents(pairs: int) -> Report:
    """TTML, for which no peer is at hand, and putting cues in order."""
    report = Report(f"TTML of {N_CUES} cues, and a list of them")
    data = ttml().encode()
    read_ttml(data)
    report.add("reading, CPU ms", [cpu_ms(lambda: read_ttml(data)) for _ in range(pairs)], "ms")
    cues = read_vtt(vtt()).cues
    report.add("CueList, CPU ms", [cpu_ms(lambda: CueList(cues)) for _ in range(pairs)], "ms")
    every = CueList(cues)
    moments = range(0, N_CUES * STEP_MS * 1000, 7_200_000)
    report.add(
        f"asking it {len(moments)} times what is active, CPU ms",
        [cpu_ms(lambda: [every.active_at(at) for at in moments]) for _ in range(pairs)],
        "ms",
    )
    return report


def captions(pairs: int) -> Report:
    """Looking through a minute of coded pictures for caption bytes."""
    report = Report("Captions in a minute of pictures (30 frames a second, four units a picture)")
    slices = [b"\x41" + b"\x9a" * 2_000] * 3
    with_captions = [length_prefixed([sei_unit(on_field([(0x94, 0x20)])), *slices])] * N_PICTURES
    without = [length_prefixed(slices)] * N_PICTURES
    for name, packets in (("with captions", with_captions), ("without", without)):
        report.add(f"{name}, CPU ms", [cpu_ms(partial(search, packets)) for _ in range(pairs)], "ms")
    return report


def search(packets: list[bytes]) -> int:
    return sum(len(from_packet(packet, NalCodec.H264)) for packet in packets)


def main() -> int:
    options = arguments(__doc__ or "", pairs=7).parse_args()
    reports = [
        against("SubRip", "srt", srt().encode(), read_srt, options.pairs),
        against("WebVTT", "webvtt", vtt().encode(), read_vtt, options.pairs),
        documents(options.pairs),
        captions(options.pairs),
    ]
    return finish(reports, options.json)


if __name__ == "__main__":
    sys.exit(main())
