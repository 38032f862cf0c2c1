"""Whether received bytes can be the segment that was asked for: a look at their frame, not at the media. Pure."""

from __future__ import annotations

from cushion_player.model import Container

_TS_PACKET_BYTES = 188
_TS_SYNC = 0x47
_MAX_BOXES = 10_000
_EBML_STARTS = (b"\x1a\x45\xdf\xa3", b"\x1f\x43\xb6\x75", b"\x18\x53\x80\x67")
"""EBML header, Cluster, Segment."""


def what_is_wrong(data: bytes | bytearray, container: Container, *, may_be_cut: bool = False) -> str:
    """In words what is wrong with a segment's frame; "" when nothing is, or nothing can be said.

    may_be_cut: it is the beginning of a segment, as far as its first picture.
    """
    if not data:
        return "it is empty"
    if data[:64].lstrip().lower().startswith((b"<!doctype", b"<html")):
        return "it is a web page"
    match container:
        case Container.MP4:
            return _boxes(data, may_be_cut=may_be_cut)
        case Container.MPEG_TS:
            is_synced = data[0] == _TS_SYNC and (len(data) <= _TS_PACKET_BYTES or data[_TS_PACKET_BYTES] == _TS_SYNC)
            return "" if is_synced else "it is no transport stream"
        case Container.WEBM:
            return "" if bytes(data[:4]) in _EBML_STARTS else "it is no WebM"
        case _:
            return ""


def _boxes(data: bytes | bytearray, *, may_be_cut: bool) -> str:
    """Boxes must follow one another to the very end."""
    at = 0
    for _ in range(_MAX_BOXES):
        if at == len(data):
            return ""
        size, kind, head = int.from_bytes(data[at : at + 4]), bytes(data[at + 4 : at + 8]), 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16]), 16
        elif size == 0:
            size = len(data) - at
        if len(data) - at < head or size < head or not _is_type(kind):
            return f"it has no box at byte {at}"
        if at + size > len(data):
            if may_be_cut and kind == b"mdat":
                return ""
            return f"it ends {at + size - len(data)} bytes early"
        at += size
    return ""


def _is_type(kind: bytes) -> bool:
    return all(0x20 <= byte < 0x7F or byte == 0xA9 for byte in kind)
