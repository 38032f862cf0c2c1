"""Caption bytes come out of SEI messages as they went in, whatever wraps them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_player.text import CcTriple, NalCodec, from_packet, nal_codec, nal_length_bytes
from tests.player.text.caption_encoder import annex_b, escaped, length_prefixed, sei_unit

SLICE = {NalCodec.H264: b"\x65" + b"\x11" * 40, NalCodec.H265: b"\x26\x01" + b"\x11" * 40}
CODECS = sorted(NalCodec, key=lambda codec: codec.name)
BYTES = st.integers(0, 255)
TRIPLES = st.lists(st.builds(CcTriple, st.integers(0, 3), BYTES, BYTES, st.just(True)), max_size=31)


@pytest.mark.parametrize("codec", CODECS)
@given(triples=TRIPLES, length_bytes=st.sampled_from([0, 1, 2, 4]))
def test_what_was_written_is_read(codec: NalCodec, triples: list[CcTriple], length_bytes: int) -> None:
    units = [sei_unit(triples, codec), SLICE[codec]]
    packet = length_prefixed(units, length_bytes) if length_bytes else annex_b(units)

    assert from_packet(packet, codec, length_bytes) == triples
    assert from_packet(memoryview(packet), codec, length_bytes) == triples


def test_several_messages_in_one_unit_are_read_in_order() -> None:
    one, two = [CcTriple(0, 1, 2)], [CcTriple(3, 3, 4)]
    messages = [sei_unit(triples)[1:-1].replace(b"\0\0\3", b"\0\0") for triples in (one, two)]
    unknown = b"\x05\x02zz"
    unit = b"\x06" + escaped(messages[0] + unknown + messages[1] + b"\x80")

    assert from_packet(length_prefixed([unit]), NalCodec.H264) == one + two


def test_invalid_608_is_dropped_and_the_end_of_a_708_packet_kept() -> None:
    triples = [CcTriple(0, 1, 2, is_valid=False), CcTriple(2, 0, 0, is_valid=False)]

    assert from_packet(length_prefixed([sei_unit(triples)]), NalCodec.H264) == triples[1:]


def test_pictures_without_captions_have_none() -> None:
    other = b"\x06\x04\x08\xb5\x00\x31DTG1\x40\x80"

    assert from_packet(length_prefixed([other, SLICE[NalCodec.H264]]), NalCodec.H264) == []


@pytest.mark.parametrize("codec", CODECS)
@given(data=st.binary(max_size=300), length_bytes=st.sampled_from([0, 1, 2, 3, 4]))
def test_any_bytes_are_read_without_an_error(codec: NalCodec, data: bytes, length_bytes: int) -> None:
    assert isinstance(from_packet(data, codec, length_bytes), list)


@given(cut=st.integers(0, 200), length_bytes=st.sampled_from([0, 4]))
def test_cut_packet_gives_a_prefix(cut: int, length_bytes: int) -> None:
    triples = [CcTriple(0, at, 0) for at in range(31)]
    unit = [sei_unit(triples)]
    packet = length_prefixed(unit) if length_bytes else annex_b(unit)

    found = from_packet(packet[:cut], NalCodec.H264, length_bytes)

    assert found == triples[: len(found)]


@pytest.mark.parametrize(
    ("codec", "expected"),
    [("h264", NalCodec.H264), ("avc1.64001f", NalCodec.H264), ("hevc", NalCodec.H265), ("hvc1.1.6.L93", NalCodec.H265),
     ("vp9", None), ("", None)],
)  # fmt: skip
def test_codec_names(codec: str, expected: NalCodec | None) -> None:
    assert nal_codec(codec) is expected


def test_length_size_is_taken_from_the_configuration() -> None:
    avcc = b"\x01\x64\x00\x1f\xfd\xe1"
    hvcc = b"\x01" + bytes(20) + b"\xff\x00"

    assert nal_length_bytes(avcc, NalCodec.H264) == 2
    assert nal_length_bytes(hvcc, NalCodec.H265) == 4
    assert nal_length_bytes(b"\0\0\0\1\x67\x64", NalCodec.H264) == 0
    assert nal_length_bytes(b"", NalCodec.H264) == 0
