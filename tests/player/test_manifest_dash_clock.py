from __future__ import annotations

from fractions import Fraction

import pytest

from cushion_player.errors import ManifestSyntaxError, UnsupportedManifestFeature
from cushion_player.manifest.dash_clock import Validity, read_validity, server_time
from cushion_player.model import UtcTiming

TIME = Fraction(1714557661)


def timing(method: str, value: str = "https://time.example.com/") -> UtcTiming:
    return UtcTiming(f"urn:mpeg:dash:utc:http-{method}:2014", value, method)


@pytest.mark.parametrize(
    ("found", "body", "date"),
    [
        (timing("head"), b"", "Wed, 01 May 2024 10:01:01 GMT"),
        (timing("xsdate"), b"2024-05-01T12:01:01+02:00\n", ""),
        (timing("iso"), b"2024-05-01T10:01:01Z", ""),
        (timing("direct", "2024-05-01T10:01:01Z"), b"", ""),
    ],
)
def test_a_server_tells_the_time_in_the_way_of_its_scheme(found: UtcTiming, body: bytes, date: str) -> None:
    assert server_time(found, body, date) == TIME


@pytest.mark.parametrize("method", ["head", "iso"])
def test_an_answer_without_a_time_is_an_error(method: str) -> None:
    with pytest.raises(ManifestSyntaxError, match="is no time"):
        server_time(timing(method), b"<html>", "soon")


def test_ntp_cannot_be_asked() -> None:
    with pytest.raises(UnsupportedManifestFeature, match="utc:ntp"):
        server_time(UtcTiming("urn:mpeg:dash:utc:ntp:2014", "ntp.example.com", ""))


@pytest.mark.parametrize(
    ("value", "message", "expected"),
    [
        ("1", b"2024-05-01T10:01:01Z\0", Validity(TIME)),
        ("2", b"2024-05-01T10:01:01Z\0<Patch/>", Validity(TIME, "<Patch/>")),
        ("3", b"2024-05-01T10:01:01Z\0<MPD/>\0", Validity(TIME, "<MPD/>")),
    ],
)
def test_validity_events_say_which_manifests_expire(value: str, message: bytes, expected: Validity) -> None:
    assert read_validity(value, message) == expected


def test_a_validity_event_without_a_time_is_an_error() -> None:
    with pytest.raises(ManifestSyntaxError, match="without a publish time"):
        read_validity("1", b"\xff\xfe")
