"""The tables of a transport stream that say which streams it carries (ISO/IEC 13818-1, 2.4.4)."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from cushion_player.media.demux.ts_packets import Packets
from cushion_player.timeline import TrackKind

_VIDEO: Final = {0x1B: "h264", 0x24: "hevc"}
_AUDIO: Final = {0x03: "mp3float", 0x04: "mp3float", 0x0F: "aac", 0x11: "aac_latm", 0x81: "ac3", 0x87: "eac3"}
_ENCRYPTED: Final = {0xDB: TrackKind.VIDEO, 0xCF: TrackKind.AUDIO, 0xC1: TrackKind.AUDIO, 0xC2: TrackKind.AUDIO}
"""SAMPLE-AES: H.264, AAC, AC-3, E-AC-3."""
_DVB: Final = {0x6A: "ac3", 0x7A: "eac3"}
"""Descriptors that name the codec of private data (ETSI EN 300 468)."""
_REGISTERED: Final = {b"AC-3": "ac3", b"EAC3": "eac3", b"HEVC": "hevc"}
_ID3: Final = b"ID3 "


class Programme(NamedTuple):
    """The streams of the first programme: pid and codec of each kind, in order.

    sample_encrypted: kinds that are there in encrypted form only. unknown: stream types that are not known here.
    """

    video: tuple[tuple[int, str], ...] = ()
    audio: tuple[tuple[int, str], ...] = ()
    id3: int = -1
    sample_encrypted: tuple[TrackKind, ...] = ()
    unknown: tuple[int, ...] = ()

    def streams(self, kind: TrackKind) -> tuple[tuple[int, str], ...]:
        return self.video if kind is TrackKind.VIDEO else self.audio


def read_programme(packets: Packets) -> Programme | None:
    """What the first programme map in the packets says; None when there is none."""
    association = _section(packets, 0, 0x00)
    if association is None:
        return None
    for at in range(8, len(association) - 4 - 3, 4):
        number = int.from_bytes(association[at : at + 2], "big")
        if number:
            section = _section(packets, int.from_bytes(association[at + 2 : at + 4], "big") & 0x1FFF, 0x02)
            if section is not None:
                return _read_map(section)
    return None


def _section(packets: Packets, pid: int, table: int) -> bytes | None:
    """The first whole section of a table, up to and with its checksum."""
    chosen = packets.of(pid)
    begins = np.flatnonzero(chosen.begins())
    if not len(begins):
        return None
    payload, offsets = chosen.payload()
    for first in begins:
        at = int(offsets[first])
        at += 1 + payload[at]
        section = payload[at : at + 3]
        if len(section) == 3 and section[0] == table:
            length = 3 + (int.from_bytes(section[1:3], "big") & 0x0FFF)
            if at + length <= len(payload):
                return payload[at : at + length]
    return None


def _read_map(section: bytes) -> Programme:
    video: list[tuple[int, str]] = []
    audio: list[tuple[int, str]] = []
    encrypted: list[TrackKind] = []
    unknown: list[int] = []
    id3 = -1
    at = 12 + (int.from_bytes(section[10:12], "big") & 0x0FFF)
    while at + 5 <= len(section) - 4:
        kind = section[at]
        pid = int.from_bytes(section[at + 1 : at + 3], "big") & 0x1FFF
        end = at + 5 + (int.from_bytes(section[at + 3 : at + 5], "big") & 0x0FFF)
        descriptors = section[at + 5 : end]
        at = end
        if kind in _VIDEO:
            video.append((pid, _VIDEO[kind]))
        elif kind in _AUDIO:
            audio.append((pid, _AUDIO[kind]))
        elif kind in _ENCRYPTED:
            encrypted.append(_ENCRYPTED[kind])
        elif kind == 0x15 and _ID3 in descriptors:
            id3 = pid
        elif kind == 0x06 and (codec := _private_codec(descriptors)):
            (video if codec == "hevc" else audio).append((pid, codec))
        else:
            unknown.append(kind)
    return Programme(tuple(video), tuple(audio), id3, tuple(encrypted), tuple(unknown))


def _private_codec(descriptors: bytes) -> str:
    at = 0
    while at + 2 <= len(descriptors):
        tag, length = descriptors[at], descriptors[at + 1]
        if tag in _DVB:
            return _DVB[tag]
        if tag == 0x05 and descriptors[at + 2 : at + 6] in _REGISTERED:
            return _REGISTERED[descriptors[at + 2 : at + 6]]
        at += 2 + length
    return ""
