"""ID3 tags written here, and bytes that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_player.errors import DecodeError
from cushion_player.timed.id3 import Id3Frame, read_id3


def synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def frame(name: str, body: bytes, version: int = 4) -> bytes:
    size = synchsafe(len(body)) if version == 4 else len(body).to_bytes(4, "big")
    return name.encode() + size + b"\0\0" + body


def tag(*frames: bytes, version: int = 4, flags: int = 0) -> bytes:
    body = b"".join(frames)
    return b"ID3" + bytes([version, 0, flags]) + synchsafe(len(body)) + body


@pytest.mark.parametrize("version", [3, 4])
def test_text_links_and_private_frames(version: int) -> None:
    data = tag(
        frame("TIT2", b"\x03" + "Ärger".encode(), version),
        frame("TXXX", b"\x01" + "ad".encode("utf-16") + b"\0\0" + "break 1".encode("utf-16"), version),
        frame("PRIV", b"com.example\0" + bytes(200), version),
        frame("WXXX", b"\0x", version),
        frame("WCOM", b"https://example.com\0", version),
        version=version,
    )

    assert read_id3(data + b"what follows") == (
        Id3Frame("TIT2", text="Ärger"),
        Id3Frame("TXXX", "ad", "break 1"),
        Id3Frame("PRIV", "com.example", data=bytes(200)),
        Id3Frame("WXXX", data=b"\0x"),
        Id3Frame("WCOM", text="https://example.com"),
    )


def test_padding_ends_the_frames_and_unsynchronisation_is_undone() -> None:
    assert read_id3(tag(frame("PRIV", b"o\0\xff"), bytes(20))) == (Id3Frame("PRIV", "o", data=b"\xff"),)
    spread = tag(frame("PRIV", b"o\0\xff\xe0").replace(b"\xff\xe0", b"\xff\x00\xe0"), flags=0x80)
    assert read_id3(spread)[0].data == b"\xff\xe0"


@pytest.mark.parametrize("data", [b"", b"ID3", b"TAG" + bytes(20), tag(frame("TIT2", b"\0x"))[:-1], tag(version=2)])
def test_what_is_no_tag_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError, match="ID3"):
        read_id3(data)


@given(body=st.binary(max_size=120), flags=st.integers(0, 255), version=st.sampled_from([3, 4]))
def test_any_body_is_read_or_refused(body: bytes, flags: int, version: int) -> None:
    try:
        frames = read_id3(tag(body, version=version, flags=flags))
    except DecodeError:
        return
    assert sum(len(each.data) for each in frames) <= len(body)
