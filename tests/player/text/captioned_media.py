"""Real video with captions put into it."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np

from tests.player.text.caption_encoder import Pair, annex_b, on_field, sei_unit


def with_captions(pairs: list[Pair], start_s: int = 0) -> tuple[bytes, list[tuple[int, bytes]]]:
    """A transport stream whose pictures carry a pair each in display order, and its coded pictures with their times."""
    out = io.BytesIO()
    coded: list[tuple[int, bytes]] = []
    with av.open(out, "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"preset": "ultrafast", "bf": "2", "x264-params": "b-adapt=0:keyint=30"}
        frames: list[av.VideoFrame | None] = []
        for index in range(len(pairs)):
            frame = av.VideoFrame.from_ndarray(np.full((72, 64), index % 200, np.uint8), format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 30)
            frames.append(frame)
        for each in [*frames, None]:
            for packet in stream.encode(each):
                assert packet.pts is not None
                assert packet.time_base is not None
                index = round(packet.pts * packet.time_base * 30)
                data = annex_b([sei_unit(on_field([pairs[index]]))]) + bytes(packet)
                new = av.Packet(data)
                later = round(start_s / packet.time_base)
                assert packet.dts is not None
                new.stream, new.time_base = stream, packet.time_base
                new.pts, new.dts = packet.pts + later, packet.dts + later
                new.is_keyframe = packet.is_keyframe
                coded.append((index * 1_000_000 // 30, data))
                container.mux(new)
    return out.getvalue(), coded
