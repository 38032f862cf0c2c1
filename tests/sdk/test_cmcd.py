"""CMCD records: what is written can be read, what others write can be read, and the rest is refused by name."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_sdk.contracts import cmcd
from cushion_sdk.contracts.cmcd import (
    CmcdError,
    CmcdEvent,
    CmcdFormat,
    CmcdRecord,
    CmcdState,
    ObjectValue,
    decode_event,
    decode_events,
    encode_event,
    encode_events,
    split_events,
    value_of,
    video,
)
from cushion_sdk.contracts.structured_fields import Item, Token

PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F))
ids = st.text(alphabet=PRINTABLE, min_size=1, max_size=64)
counts = st.integers(0, 10**12)


def object_values(step: int) -> st.SearchStrategy[tuple[ObjectValue, ...]]:
    one = st.builds(ObjectValue, st.integers(0, 10**8).map(lambda n: n * step), st.sampled_from(["", "v", "a", "av"]))
    return st.lists(one, max_size=3).map(tuple)


records = st.builds(
    CmcdRecord,
    event=st.sampled_from(
        [event for event in CmcdEvent if event not in cmcd.REQUIRED and event is not CmcdEvent.CUSTOM]
    ),
    timestamp_ms=counts,
    session_id=ids | st.just(""),
    sequence=st.none() | counts,
    content_id=ids | st.just(""),
    state=st.none() | st.sampled_from(CmcdState),
    playhead_ms=st.none() | counts,
    buffer_ms=object_values(100),
    encoded_bitrate_kbps=object_values(1),
    playhead_bitrate_kbps=object_values(1),
    throughput_kbps=object_values(100),
    is_starved=st.booleans(),
    starvation_count=object_values(1),
    starvation_ms=object_values(1),
    start_delay_ms=st.none() | counts,
    dropped_frames=st.none() | counts,
    rate=st.none() | st.integers(0, 4000).map(lambda n: n / 1000),
    error_codes=st.lists(ids, max_size=3).map(tuple),
    streaming_format=st.none() | st.sampled_from(CmcdFormat),
    stream_type=st.sampled_from(["", "v", "l", "ll"]),
    profile_id=ids | st.just(""),
    device_id=ids | st.just(""),
    extra=st.dictionaries(
        st.text(string.ascii_lowercase, min_size=1, max_size=8).map(lambda text: f"org.peer-{text}"),
        ids.map(Item) | counts.map(Item) | st.booleans().map(Item),
        max_size=3,
    ),
)


@given(st.lists(records, min_size=1, max_size=5))
def test_what_is_encoded_decodes_to_the_same_records(written: list[CmcdRecord]) -> None:
    body = encode_events(written)

    assert decode_events(body) == written
    assert not body.endswith(b"\n")
    assert len(split_events(body)) == len(written)


@given(st.text() | st.text(alphabet='abce=;,()" 0123456789?:._-v'))
def test_any_text_is_read_or_refused_with_a_cmcd_error(text: str) -> None:
    try:
        decode_event(text)
    except CmcdError:
        pass


def test_a_record_is_one_line_with_keys_in_alphabetical_order_and_rounded_numbers() -> None:
    record = CmcdRecord(
        event=CmcdEvent.TIME_INTERVAL,
        timestamp_ms=1_700_000_000_123,
        session_id="s-1",
        sequence=7,
        content_id="film",
        state=CmcdState.PLAYING,
        playhead_ms=12_345,
        buffer_ms=video(12_349),
        encoded_bitrate_kbps=(ObjectValue(3000, "v"), ObjectValue(128, "a")),
        throughput_kbps=(ObjectValue(5_950),),
        is_starved=True,
        rate=1.0,
        profile_id="default",
        device_id="d-1",
    )

    line = encode_event(record)

    assert line == (
        'bl=(12300;v),br=(3000;v 128;a),bs,cid="film",com.cushion-did="d-1",com.cushion-pid="default",e=t,'
        'mtp=(6000),pr=1,pt=12345,sid="s-1",sn=7,sta=p,ts=1700000000123,v=2'
    )


def test_an_absent_value_is_not_written() -> None:
    line = encode_event(CmcdRecord(event=CmcdEvent.MUTE, timestamp_ms=1))

    assert line == "e=m,ts=1,v=2"


@pytest.mark.parametrize(("event", "key"), [("ps", "sta"), ("bc", "br"), ("pr", "pr"), ("c", "cid"), ("e", "ec")])
def test_an_event_without_the_key_it_must_carry_is_not_written(event: str, key: str) -> None:
    with pytest.raises(CmcdError, match=f"must carry '{key}'"):
        encode_event(CmcdRecord(event=CmcdEvent(event), timestamp_ms=1))


def test_text_that_is_not_printable_ascii_is_not_written() -> None:
    with pytest.raises(CmcdError, match="printable ASCII"):
        encode_event(CmcdRecord(event=CmcdEvent.MUTE, timestamp_ms=1, session_id="Zoë"))


def test_a_session_id_is_at_most_64_characters() -> None:
    with pytest.raises(CmcdError, match="longer than 64"):
        encode_event(CmcdRecord(event=CmcdEvent.MUTE, timestamp_ms=1, session_id="x" * 65))


def test_another_clients_record_keeps_its_unknown_keys() -> None:
    record = decode_event(
        'e=rr,ts=1,v=2,url="https://cdn/seg_1.m4s",rc=200,ttfb=12,ttlb=48,ot=v,com.example-x="y",nor=("a";r="0-9")'
    )

    assert record.event is CmcdEvent.RESPONSE_RECEIVED
    assert record.session_id == ""
    assert record.sequence is None
    assert record.extra["rc"] == Item(200)
    assert record.extra["ot"] == Item(Token("v"))
    assert record.extra["nor"] == (Item("a", {"r": "0-9"}),)
    assert decode_event(encode_event(record)) == record


def test_a_scalar_is_read_where_a_list_is_defined() -> None:
    assert decode_event("e=t,ts=1,v=2,br=3000,mtp=5000;v").encoded_bitrate_kbps == (ObjectValue(3000),)


def test_the_value_about_video_is_preferred_to_the_unsaid_one() -> None:
    values = (ObjectValue(1), ObjectValue(2, "a"), ObjectValue(3, "v"))

    assert value_of(values) == 3
    assert value_of(values, "a") == 2
    assert value_of(values[:2]) == 1
    assert value_of(()) is None


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", "version 2"),
        ("e=t,ts=1", "version 2"),
        ("e=t,ts=1,v=1", "version 2"),
        ("ts=1,v=2", "'e' is missing"),
        ("e=t,v=2", "'ts' is missing"),
        ("e=zz,ts=1,v=2", "e: 'zz' is not one of"),
        ('e=t,ts="1",v=2', "ts: '1' is not an integer"),
        ("e=t,ts=1,v=2,sta=(p)", "sta: a single value is expected"),
        ("e=t,ts=1,v=2,bs=1", "bs: 1 is not a boolean"),
        ('e=t,ts=1,v=2,sid="open', "expected a value at character 18"),
        ("e=t,ts=1,v=2,", "expected a key at character 14"),
        ("e=t ts=1", "expected a comma at character 5"),
        ("<html>", "expected a key at character 1"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused_with_what_is_wrong(line: str, problem: str) -> None:
    with pytest.raises(CmcdError, match=problem.replace("(", r"\(")):
        decode_event(line)


def test_a_body_names_the_line_that_cannot_be_read() -> None:
    with pytest.raises(CmcdError) as caught:
        decode_events(b"e=t,ts=1,v=2\ne=t,v=2")

    assert caught.value.line == 2


def test_a_body_that_is_not_ascii_is_refused() -> None:
    with pytest.raises(CmcdError, match="byte 3 is not ASCII"):
        decode_events(b"e=t\xff")


def test_a_body_of_another_client_may_end_with_a_line_feed() -> None:
    assert len(decode_events(b"e=t,ts=1,v=2\r\ne=t,ts=2,v=2\r\n")) == 2


def test_a_hostile_line_stays_cheap() -> None:
    with pytest.raises(CmcdError, match="more than 256 members"):
        decode_event(",".join(f"k{n}" for n in range(1000)))
    with pytest.raises(CmcdError, match="more than 64 items"):
        decode_event("br=(" + " ".join("1" for _ in range(1000)) + ")")
