"""Reads ISO base media (fragmented MP4, CMAF) in plain Python: what a decoder needs, and no more.

    init = read_init(init_bytes)            what the track is, the decoder's extradata, how it is encrypted
    info = read_segment(segment_bytes, init)  where each sample lies, when it is shown, what it is encrypted with
    chunks = ChunkScanner(init).scan(bytes_so_far)  which chunks of an arriving segment are whole
    index = read_sidx(bytes_of_index_range) where the segments of a single file lie
    read_event_messages, read_producer_times, read_protection_headers: emsg, prft and pssh boxes
    read_rotated_key_ids: keys that a segment names itself

Input is untrusted. Everything here either returns a value or raises MediaError (DecodeError with the byte
position, UnsupportedCodec), in time linear in the input. No I/O, no cipher. Source: ISO/IEC 14496-12 and -15, 23001-7.
"""

from __future__ import annotations

from cushion_player.boxes.chunks import ChunkScanner, MediaChunk
from cushion_player.boxes.emsg import EventMessage, read_event_messages
from cushion_player.boxes.encryption import SampleCipher, SampleEncryption, TrackEncryption
from cushion_player.boxes.fragment_encryption import read_rotated_key_ids
from cushion_player.boxes.init import InitInfo, read_init, read_tracks
from cushion_player.boxes.prft import ProducerTime, read_producer_times
from cushion_player.boxes.pssh import ProtectionHeader, read_protection_headers
from cushion_player.boxes.segment import Sample, SegmentInfo, read_segment
from cushion_player.boxes.sidx import IndexReference, SegmentIndex, read_sidx

__all__ = [
    "ChunkScanner",
    "EventMessage",
    "IndexReference",
    "InitInfo",
    "MediaChunk",
    "ProducerTime",
    "ProtectionHeader",
    "Sample",
    "SampleCipher",
    "SampleEncryption",
    "SegmentIndex",
    "SegmentInfo",
    "TrackEncryption",
    "read_event_messages",
    "read_init",
    "read_producer_times",
    "read_protection_headers",
    "read_rotated_key_ids",
    "read_segment",
    "read_sidx",
    "read_tracks",
]
