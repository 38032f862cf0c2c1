"""Splice information: a published message, messages written here, and bytes that are none."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_player.errors import DecodeError
from cushion_player.timed.scte35 import SegmentationDescriptor, SpliceCommand, read_splice_info

# ANSI/SCTE 35 2023, 14.1 and 14.2: the samples of the standard.
TIME_SIGNAL = "/DA0AAAAAAAA///wBQb+cr0AUAAeAhxDVUVJSAAAjn/PAAGlmbAICAAAAAAsoKGKNAIAmsnRfg=="
SPLICE_INSERT = "/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo="


def section(
    command: int, body: bytes, descriptors: bytes = b"", *, adjustment: int = 0, encrypted: bool = False
) -> bytes:
    """A splice_info_section with a right checksum."""
    head = bytes([0, (0x80 if encrypted else 0) | adjustment >> 32 & 1]) + (adjustment & 0xFFFFFFFF).to_bytes(4, "big")
    rest = b"\0" + (0xFFF000 | len(body)).to_bytes(3, "big") + bytes([command]) + body
    payload = head + rest + len(descriptors).to_bytes(2, "big") + descriptors
    made = b"\xfc" + (0x3000 | len(payload) + 4).to_bytes(2, "big") + payload
    return made + crc(made).to_bytes(4, "big")


def crc(data: bytes) -> int:
    """Bit by bit, unlike the table under test."""
    value = 0xFFFFFFFF
    for byte in data:
        for bit in range(7, -1, -1):
            top = value >> 31 ^ byte >> bit & 1
            value = value << 1 & 0xFFFFFFFF ^ (0x04C11DB7 if top else 0)
    return value


def test_the_standards_time_signal() -> None:
    info = read_splice_info(base64.b64decode(TIME_SIGNAL))

    assert (info.command, info.pts) == (SpliceCommand.TIME_SIGNAL, 0x072BD0050)
    assert info.segmentation == (
        SegmentationDescriptor(
            0x4800008E, 0x34, False, 0x0001A599B0 * 1_000_000 // 90_000, 8, bytes.fromhex("000000002ca0a18a"), 2, 0
        ),
    )


def test_the_standards_splice_insert() -> None:
    info = read_splice_info(base64.b64decode(SPLICE_INSERT))

    assert (info.command, info.event_id, info.is_out, info.pts) == (5, 0x4800008F, True, 0x07369C02E)
    assert (info.duration_us, info.auto_return) == (0x00052CCF5 * 1_000_000 // 90_000, True)
    assert info.other_descriptors == ((0, b"CUEI\x00\x00\x01\x35"),)


def test_the_adjustment_is_added_and_wraps() -> None:
    info = read_splice_info(section(6, bytes([0xFF, 0xFF, 0xFF, 0xFF, 0xFF]), adjustment=10))

    assert info.pts == 9


def test_an_encrypted_section_tells_its_command_and_no_more() -> None:
    info = read_splice_info(section(6, bytes(5), encrypted=True))

    assert (info.command, info.is_encrypted, info.pts) == (6, True, None)


def test_a_cancelled_insert() -> None:
    info = read_splice_info(section(5, (77).to_bytes(4, "big") + b"\xff"))

    assert (info.event_id, info.is_cancelled) == (77, True)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a SCTE-35"),
        (bytes(30), "not a SCTE-35"),
        (base64.b64decode(TIME_SIGNAL)[:-6], "but only"),
        (base64.b64decode(TIME_SIGNAL)[:-1] + b"\0", "wrong checksum"),
    ],
)
def test_what_is_no_section_is_refused_in_a_sentence(data: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        read_splice_info(data)


@given(command=st.integers(0, 255), body=st.binary(max_size=60), descriptors=st.binary(max_size=60))
def test_any_body_under_a_right_checksum_is_read_or_refused(command: int, body: bytes, descriptors: bytes) -> None:
    try:
        info = read_splice_info(section(command, body, descriptors))
    except DecodeError:
        return
    assert info.command == command
