"""Writes closed captions: pairs of CEA-608, packets of CEA-708, and the SEI messages that carry them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from cushion_player.text import CcTriple, NalCodec

RCL, BS, DER, RU2, RU3, RU4, RDC, TR, EDM, CR, ENM, EOC = (
    0x20, 0x21, 0x24, 0x25, 0x26, 0x27, 0x29, 0x2A, 0x2C, 0x2D, 0x2E, 0x2F,
)  # fmt: skip
PADDING = (0x80, 0x80)
_PAC_FIRST = (0x11, 0x11, 0x12, 0x12, 0x15, 0x15, 0x16, 0x16, 0x17, 0x17, 0x10, 0x13, 0x13, 0x14, 0x14)
_SECOND_ROWS = (2, 4, 6, 8, 10, 13, 15)

Pair = tuple[int, int]


def odd(byte: int) -> int:
    """With the parity bit that makes the number of ones odd."""
    return byte | (0 if byte.bit_count() % 2 else 0x80)


def control(first: int, second: int, *, channel: int = 1) -> list[Pair]:
    """A control code, sent twice as the standard wants it. channel: 1 to 4."""
    pair = (odd(first | (0x08 if channel in (2, 4) else 0)), odd(second))
    return [pair, pair]


def command(code: int, *, channel: int = 1) -> list[Pair]:
    """A miscellaneous control code: field 2 has its own first byte."""
    return control(0x15 if channel > 2 else 0x14, code, channel=channel)


def pac(row: int, *, indent: int = 0, colour: int = 0, underline: bool = False, channel: int = 1) -> list[Pair]:
    """A preamble address code: a row from 1, and an indent (a multiple of 4) or a colour (7: italics)."""
    bits = (indent // 4 + 8 if indent else colour) << 1 | underline
    return control(_PAC_FIRST[row - 1], 0x40 | (0x20 if row in _SECOND_ROWS else 0) | bits, channel=channel)


def text(words: str) -> list[Pair]:
    """Basic characters, which must be their own codes."""
    codes = [odd(ord(character)) for character in words]
    return list(zip_longest(codes[::2], codes[1::2], fillvalue=0x80))


def pop_on(row: int, words: str, *, channel: int = 1, indent: int = 0) -> list[Pair]:
    """A whole pop-on caption but for the code that shows it."""
    return [
        *command(RCL, channel=channel),
        *command(ENM, channel=channel),
        *pac(row, indent=indent, channel=channel),
        *text(words),
    ]


def on_field(pairs: Iterable[Pair], field: int = 0) -> list[CcTriple]:
    return [CcTriple(field, first, second) for first, second in pairs]


# --------------------------------------------------------------------------- CEA-708


def define_window(
    number: int,
    *,
    at: tuple[int, int] = (105, 70),
    anchor: int = 7,
    rows: int = 2,
    columns: int = 32,
    visible: bool = True,
    relative: bool = False,
    priority: int = 0,
    styles: tuple[int, int] = (1, 1),
) -> bytes:
    """DefineWindow. at: across and down, in grid steps, or percent when `relative`."""
    flags = (0x20 if visible else 0) | priority
    return bytes(
        (
            0x98 + number,
            flags,
            (0x80 if relative else 0) | at[1],
            at[0],
            anchor << 4 | rows - 1,
            columns - 1,
            styles[0] << 3 | styles[1],
        )
    )


def service_block(service: int, data: bytes) -> bytes:
    assert len(data) <= 31
    if service > 6:
        return bytes((7 << 5 | len(data), service)) + data
    return bytes((service << 5 | len(data),)) + data


def dtvcc_packet(blocks: Sequence[bytes], sequence: int = 0) -> list[CcTriple]:
    """A packet as elements of cc_data, padded to an even size."""
    body = b"".join(blocks)
    body += b"\0" * ((len(body) + 1) % 2)
    size = (len(body) + 1) // 2
    packet = bytes(((sequence & 3) << 6 | (size & 0x3F),)) + body
    return [CcTriple(3 if at == 0 else 2, packet[at], packet[at + 1]) for at in range(0, len(packet), 2)]


# --------------------------------------------------------------------------- SEI


def sei_unit(triples: Sequence[CcTriple], codec: NalCodec = NalCodec.H264) -> bytes:
    """One NAL unit with the captions of a picture, emulation prevention included."""
    data = b"".join(
        bytes((0xF8 | (4 if item.is_valid else 0) | item.kind, item.first, item.second)) for item in triples
    )
    payload = b"\xb5\x00\x31GA94\x03" + bytes((0x40 | len(triples), 0xFF)) + data + b"\xff"
    sizes = b"\xff" * (len(payload) // 255) + bytes((len(payload) % 255,))
    header = b"\x06" if codec is NalCodec.H264 else b"\x4e\x01"
    return header + escaped(b"\x04" + sizes + payload + b"\x80")


def escaped(body: bytes) -> bytes:
    """With 03 put before each byte up to 3 that follows two zeros."""
    out = bytearray()
    zeros = 0
    for byte in body:
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


def length_prefixed(units: Iterable[bytes], length_bytes: int = 4) -> bytes:
    return b"".join(len(unit).to_bytes(length_bytes, "big") + unit for unit in units)


def annex_b(units: Iterable[bytes]) -> bytes:
    return b"".join(b"\0\0\0\1" + unit for unit in units)
