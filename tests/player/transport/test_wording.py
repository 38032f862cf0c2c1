from __future__ import annotations

import pytest

from cushion_player.transport import wording
from cushion_player.transport.base import FetchRequest


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pw@cdn.example:8443/a/b.m4s?token=1#t", "https://cdn.example:8443/a/b.m4s"),
        ("file:///tmp/a.mpd", "file:///tmp/a.mpd"),
        ("http://[::1?token=1", "http://[::1"),
        ("data:application/octet-stream;base64,AAAAAAAAAAAAAAAAAAAA", "data:application/octet-stream;base64,…"),
        ("DATA:,secret", "DATA:,…"),
        ("data:secret", "data:…"),
        ("relative/path?x", "relative/path"),
    ],
)
def test_public_url_keeps_no_secrets(url: str, shown: str) -> None:
    assert wording.public_url(url) == shown


def test_sentence_begins_with_the_label_or_else_the_url() -> None:
    labelled = FetchRequest("http://host/a?k=1", label="segment 412 of video/1080p")

    assert wording.sentence(labelled, "HTTP 404") == "segment 412 of video/1080p: HTTP 404 (http://host/a)"
    assert wording.sentence(FetchRequest("http://host/a?k=1"), "HTTP 404") == "http://host/a: HTTP 404"


def test_progress_without_an_announced_length() -> None:
    assert wording.progress(70, None) == "70 bytes"
