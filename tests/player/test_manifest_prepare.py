"""Readers are loaded by what an address looks like, and only the one that is likely."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from cushion_player import manifest
manifest.prepare(sys.argv[1])
print(*(name for name in ("dash", "hls") if f"cushion_player.manifest.{name}" in sys.modules))
"""


@pytest.mark.parametrize(
    ("url", "loaded"),
    [
        ("https://host/a.mpd?next=b.m3u8", "dash"),
        ("https://host/MASTER.M3U8#t=10", "hls"),
        ("https://host/film?format=a.mpd", ""),
    ],
)
def test_prepare_loads_the_reader_of_what_is_likely(url: str, loaded: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, url], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == loaded
