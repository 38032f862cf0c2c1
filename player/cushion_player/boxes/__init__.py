"""Reads ISO base media (fragmented MP4, CMAF) in plain Python: what a decoder needs, and no more.

    init = read_init(init_bytes)            what the track is, and the decoder's extradata
    info = read_segment(segment_bytes, init)  where each sample lies and when it is shown
    index = read_sidx(bytes_of_index_range) where the segments of a single file lie

Input is untrusted. Everything here either returns a value or raises MediaError (DecodeError with the byte
position, UnsupportedCodec), in time linear in the input. No I/O. Source: ISO/IEC 14496-12 and -15.
"""

from __future__ import annotations

from cushion_player.boxes.init import InitInfo, read_init, read_tracks
from cushion_player.boxes.segment import Sample, SegmentInfo, read_segment
from cushion_player.boxes.sidx import IndexReference, SegmentIndex, read_sidx

__all__ = [
    "IndexReference",
    "InitInfo",
    "Sample",
    "SegmentIndex",
    "SegmentInfo",
    "read_init",
    "read_segment",
    "read_sidx",
    "read_tracks",
]
