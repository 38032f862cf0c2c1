"""ID3v2 tags as HLS carries them: the frames, and the text of those that are text.

Source: ID3v2.3 and 2.4 (id3.org), Apple's timed metadata for HTTP Live Streaming. Unsynchronisation is undone, extended
headers are passed over, compressed and encrypted frames come back as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from cushion_player.errors import DecodeError

MAX_FRAMES: Final = 1000
_ENCODINGS: Final = ("latin-1", "utf-16", "utf-16-be", "utf-8")
_UNSYNCHRONISED = 0x80
_EXTENDED = 0x40


@dataclass(frozen=True, slots=True)
class Id3Frame:
    """One frame. name: of TXXX its description, of PRIV its owner; text: of text frames and URLs."""

    id: str
    name: str = ""
    text: str = field(default="", repr=False)
    data: bytes = field(default=b"", repr=False)


def read_id3(data: bytes) -> tuple[Id3Frame, ...]:
    """The frames of the tag at the start of `data`. Raises DecodeError when there is none, or it is cut off."""
    if len(data) < 10 or data[:3] != b"ID3":
        raise DecodeError("no ID3 tag where one was expected")
    version, flags, size = data[3], data[5], _synchsafe(data[6:10])
    if version not in (3, 4):
        raise DecodeError(f"an ID3 tag of version 2.{version}; 2.3 and 2.4 are read")
    if 10 + size > len(data):
        raise DecodeError(f"an ID3 tag says it has {size} bytes, but only {len(data) - 10} are there")
    body = data[10 : 10 + size]
    if flags & _UNSYNCHRONISED:
        body = body.replace(b"\xff\x00", b"\xff")
    at = 0
    if flags & _EXTENDED and len(body) >= 4:
        at = _synchsafe(body[:4]) if version == 4 else int.from_bytes(body[:4], "big") + 4
    frames: list[Id3Frame] = []
    while at + 10 <= len(body) and body[at] and len(frames) < MAX_FRAMES:
        name = body[at : at + 4].decode("latin-1")
        length = _synchsafe(body[at + 4 : at + 8]) if version == 4 else int.from_bytes(body[at + 4 : at + 8], "big")
        if at + 10 + length > len(body):
            raise DecodeError(f"ID3 frame {name!r} is cut off")
        frames.append(_frame(name, body[at + 10 : at + 10 + length]))
        at += 10 + length
    return tuple(frames)


def _synchsafe(data: bytes) -> int:
    value = 0
    for byte in data:
        value = value << 7 | byte & 0x7F
    return value


def _frame(name: str, body: bytes) -> Id3Frame:
    if name == "PRIV":
        owner, _, data = body.partition(b"\0")
        return Id3Frame(name, owner.decode("latin-1"), data=data)
    if name == "TXXX" and body:
        described, text = _split(body[1:], body[0])
        return Id3Frame(name, described, text)
    if name.startswith("T") and body:
        return Id3Frame(name, text=_text(body[1:], body[0]))
    if name.startswith("W") and name != "WXXX":
        return Id3Frame(name, text=body.split(b"\0")[0].decode("latin-1"))
    return Id3Frame(name, data=body)


def _split(body: bytes, encoding: int) -> tuple[str, str]:
    """Description and value, divided by a terminator as wide as the encoding's characters."""
    width = 2 if encoding in (1, 2) else 1
    end = next((at for at in range(0, len(body), width) if not any(body[at : at + width])), len(body))
    return _text(body[:end], encoding), _text(body[end + width :], encoding)


def _text(body: bytes, encoding: int) -> str:
    codec = _ENCODINGS[encoding] if encoding < len(_ENCODINGS) else "latin-1"
    return body.decode(codec, errors="replace").rstrip("\0")
