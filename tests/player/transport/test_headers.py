from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_player.transport.headers import ContentRange, parse_retry_after


def test_content_range_is_read() -> None:
    assert ContentRange.parse("bytes 5-9/10") == ContentRange(5, 9, 10)
    assert ContentRange.parse(" Bytes 0-0/* ") == ContentRange(0, 0, None)


@pytest.mark.parametrize("value", [None, "", "bytes */10", "items 0-1/2", "bytes 9-5/10", "bytes 5-/10", "x"])
def test_what_is_no_content_range_is_none(value: str | None) -> None:
    assert ContentRange.parse(value) is None


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("120", None, 120.0),
        (" 0 ", None, 0.0),
        ("Wed, 21 Oct 2015 07:28:30 GMT", "Wed, 21 Oct 2015 07:28:00 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:29:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None, 0.0),
        ("soon", None, None),
        ("-5", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, date: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, date) == seconds


@given(st.text(), st.none() | st.text())
def test_retry_after_never_raises(value: str, date: str | None) -> None:
    seconds = parse_retry_after(value, date)

    assert seconds is None or seconds >= 0
